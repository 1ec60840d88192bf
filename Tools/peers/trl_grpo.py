"""TRL's GRPOTrainer on the CPU, a reward that costs nothing. Prints a JSON object: completion tokens/s, median step.

    python trl_grpo.py MODEL PROMPTS SAMPLES NEW DTYPE
"""
import json
import statistics
import sys
import tempfile
import time

import torch
from datasets import Dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

STEPS = 6
path, dtype = sys.argv[1], sys.argv[5]
prompts, samples, new = map(int, sys.argv[2:5])

# A token for every byte: enough for text to go in and out.
alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
vocabulary = {token: index for index, token in enumerate(["<pad>", "<eos>", *alphabet])}
bytes_tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
bytes_tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
bytes_tokenizer.decoder = decoders.ByteLevel()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytes_tokenizer, pad_token="<pad>", eos_token="<eos>")


class Timer(TrainerCallback):
    def __init__(self):
        self.taken = []

    def on_step_begin(self, *_, **__):
        self.start = time.perf_counter()

    def on_step_end(self, *_, **__):
        self.taken.append(time.perf_counter() - self.start)


timer = Timer()
questions = [f"There are {i} apples and {(7 * i + 3) % 11} pears. How many fruits are there in all?" for i in range(256)]
GRPOTrainer(
    model=AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32),
    reward_funcs=lambda completions, **_: [float(len(text) % 5) for text in completions],
    args=GRPOConfig(
        output_dir=tempfile.mkdtemp(), use_cpu=True, bf16=dtype == "bf16", max_steps=STEPS, learning_rate=1e-6, beta=0.0,
        per_device_train_batch_size=prompts * samples, num_generations=samples, max_completion_length=new,
        generation_kwargs={"min_new_tokens": new}, gradient_checkpointing=False, report_to=[], save_strategy="no",
        disable_tqdm=True),
    train_dataset=Dataset.from_dict({"prompt": questions}), processing_class=tokenizer, callbacks=[timer],
).train()
print(json.dumps({"grpo": prompts * samples * new / statistics.median(timer.taken[1:])}))
