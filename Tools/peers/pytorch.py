"""PyTorch and transformers on this machine. Each command prints one JSON object from a name to a rate.

    python pytorch.py products DTYPE MxNxK …            GFLOP/s of x · Wᵀ
    python pytorch.py train MODEL SEQUENCES LENGTH DTYPE     tokens/s of forward, backward, clipping and AdamW
    python pytorch.py decode MODEL BATCH PROMPT NEW DTYPE    tokens/s of sampled generation
    python pytorch.py prefill MODEL LENGTH DTYPE             tokens/s up to the last token's logits

DTYPE: f32 or bf16; in training bf16 means autocast over weights in f32. After a warm-up: of products the best of short rounds,
as `rlkd bench kernels` takes it, of the rest the median.
"""
import json
import statistics
import sys
import time

import torch
from transformers import AutoModelForCausalLM

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def timings(run, times):
    run()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return taken


def seconds(run, times=5):
    return statistics.median(timings(run, times))


def products(dtype, *shapes):
    rates = {}
    for shape in shapes:
        rows, outputs, depth = map(int, shape.split("x"))
        x = torch.randn(rows, depth).to(DTYPES[dtype])
        layer = torch.nn.Linear(depth, outputs, bias=False).to(DTYPES[dtype])
        operations = 2 * rows * outputs * depth
        repetitions = max(1, int(2e9 / operations))

        def run():
            with torch.inference_mode():
                for _ in range(repetitions):
                    layer(x)

        rates[shape] = operations * repetitions / min(timings(run, times=20)) / 1e9
    return rates


def train(path, sequences, length, dtype):
    sequences, length = int(sequences), int(length)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6, fused=True)
    tokens = torch.randint(0, model.config.vocab_size, (sequences, length))

    def run():
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == "bf16"):
            logits = model(tokens, use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1).float(), tokens[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return {"train": sequences * length / seconds(run)}


def decode(path, batch, prompt, new, dtype):
    batch, prompt, new = int(batch), int(prompt), int(new)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=DTYPES[dtype]).eval()
    tokens = torch.randint(0, model.config.vocab_size, (batch, prompt))
    mask = torch.ones_like(tokens)

    def run():
        with torch.inference_mode():
            model.generate(
                tokens, attention_mask=mask, do_sample=True, top_k=0, min_new_tokens=new, max_new_tokens=new,
                pad_token_id=0)

    return {"decode": batch * new / seconds(run, times=3)}


def prefill(path, length, dtype):
    model = AutoModelForCausalLM.from_pretrained(path, dtype=DTYPES[dtype]).eval()
    tokens = torch.randint(0, model.config.vocab_size, (1, int(length)))

    def run():
        with torch.inference_mode():
            model(tokens, logits_to_keep=1)

    return {"prefill": int(length) / seconds(run, times=3)}


print(json.dumps({"products": products, "train": train, "decode": decode, "prefill": prefill}[sys.argv[1]](*sys.argv[2:])))
