"""Qwen2 models of random weights, as Hugging Face directories: what engines of any kind can load and be timed on.

    python models.py FOLDER NAME …          NAME: tiny, small, qwen05
"""
import sys
from pathlib import Path

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

# hidden, feed-forward, layers, heads, key-value heads, vocabulary
SHAPES = {
    "tiny": (256, 704, 4, 4, 2, 512),
    "small": (512, 1408, 8, 8, 2, 4096),
    "qwen05": (896, 4864, 24, 14, 2, 151936),
}

folder = Path(sys.argv[1])
for name in sys.argv[2:]:
    if (folder / name / "config.json").exists():
        continue
    hidden, feed_forward, layers, heads, key_value_heads, vocabulary = SHAPES[name]
    torch.manual_seed(1)
    model = Qwen2ForCausalLM(Qwen2Config(
        hidden_size=hidden, intermediate_size=feed_forward, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=key_value_heads, vocab_size=vocabulary, max_position_embeddings=4096,
        rope_theta=1e6, tie_word_embeddings=True))
    model.to(torch.bfloat16).save_pretrained(folder / name)
