"""llama.cpp on this machine, through llama-cpp-python. Each command prints one JSON object from a name to a rate.

    python llama.py decode FILE BATCH PROMPT NEW    tokens/s, one of every sequence in each llama_decode
    python llama.py prefill FILE LENGTH             tokens/s up to the last token's logits

Tokens are random and, as in llama.cpp's own batched-bench, not sampled, which leaves that time out. Medians after a warm-up.
"""
import json
import os
import random
import statistics
import sys
import time

import llama_cpp

ROWS = 512


class Engine:
    def __init__(self, path, sequences, positions):
        llama_cpp.llama_backend_init()
        llama_cpp.llama_log_set(SILENT, None)
        self.model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx = sequences * positions
        settings.n_seq_max = sequences
        settings.n_batch = settings.n_ubatch = ROWS
        settings.n_threads = settings.n_threads_batch = len(os.sched_getaffinity(0))
        self.context = llama_cpp.llama_init_from_model(self.model, settings)
        self.batch = llama_cpp.llama_batch_init(ROWS, 0, 1)

    def decode(self, rows):
        """One pass over rows of (sequence, position, whether logits are wanted)."""
        batch = self.batch
        batch.n_tokens = len(rows)
        for index, (sequence, position, wanted) in enumerate(rows):
            batch.token[index] = random.randrange(self.vocabulary)
            batch.pos[index] = position
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = sequence
            batch.logits[index] = wanted
        if llama_cpp.llama_decode(self.context, batch) != 0:
            sys.exit("llama_decode failed")
        llama_cpp.llama_synchronize(self.context)

    def prompt(self, sequence, length):
        for start in range(0, length, ROWS):
            self.decode([
                (sequence, position, position == length - 1) for position in range(start, min(start + ROWS, length))])

    def clear(self):
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)


@llama_cpp.llama_log_callback
def SILENT(level, text, data):
    pass


def median_seconds(prepare, run):
    """Of three times after a first."""
    taken = []
    for _ in range(4):
        prepare()
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])


def decode(path, batch, prompt, new):
    batch, prompt, new = int(batch), int(prompt), int(new)
    engine = Engine(path, batch, prompt + new)

    def prepare():
        engine.clear()
        for sequence in range(batch):
            engine.prompt(sequence, prompt)

    def run():
        for step in range(new):
            engine.decode([(sequence, prompt + step, True) for sequence in range(batch)])

    return {"decode": batch * new / median_seconds(prepare, run)}


def prefill(path, length):
    engine = Engine(path, 1, int(length))
    return {"prefill": int(length) / median_seconds(engine.clear, lambda: engine.prompt(0, int(length)))}


print(json.dumps({"decode": decode, "prefill": prefill}[sys.argv[1]](*sys.argv[2:])))
