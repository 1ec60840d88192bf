"""Writes a Qwen2 of models.py as a GGUF file that llama.cpp reads: matrices in bfloat16, vectors in float32, no vocabulary.

    python gguf_model.py MODEL FILE
"""
import json
import sys
from pathlib import Path

import gguf
import numpy

SHORT = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "model.norm": "output_norm",
    "model.embed_tokens": "token_embd",
}


def tensors(path):
    """Names and values in float32 of a safetensors file of bfloat16."""
    data = numpy.memmap(path, mode="r")
    length = int(data[:8].view("<u8")[0])
    for name, entry in json.loads(bytes(data[8:8 + length])).items():
        if name != "__metadata__":
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            bits = numpy.frombuffer(data[start:end].tobytes(), "<u2").astype(numpy.uint32) << 16
            yield name, bits.view(numpy.float32).reshape(entry["shape"])


def short(name):
    """llama.cpp's name: blk.3.attn_q.weight of model.layers.3.self_attn.q_proj.weight."""
    stem, kind = name.rsplit(".", 1)
    if not stem.startswith("model.layers."):
        return f"{SHORT[stem]}.{kind}"
    _, _, layer, part = stem.split(".", 3)
    return f"blk.{layer}.{SHORT[part]}.{kind}"


directory, file = Path(sys.argv[1]), sys.argv[2]
shape = json.loads((directory / "config.json").read_text())
base = shape.get("rope_theta") or shape["rope_parameters"]["rope_theta"]
writer = gguf.GGUFWriter(file, "qwen2")
writer.add_context_length(shape["max_position_embeddings"])
writer.add_embedding_length(shape["hidden_size"])
writer.add_block_count(shape["num_hidden_layers"])
writer.add_feed_forward_length(shape["intermediate_size"])
writer.add_head_count(shape["num_attention_heads"])
writer.add_head_count_kv(shape["num_key_value_heads"])
writer.add_layer_norm_rms_eps(shape["rms_norm_eps"])
writer.add_rope_freq_base(base)
writer.add_vocab_size(shape["vocab_size"])
writer.add_tokenizer_model("none")
for name, values in tensors(directory / "model.safetensors"):
    kind = gguf.GGMLQuantizationType.BF16 if values.ndim == 2 else gguf.GGMLQuantizationType.F32
    writer.add_tensor(short(name), gguf.quants.quantize(values, kind), raw_dtype=kind)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
