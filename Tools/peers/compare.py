"""Runs a peer and rlkd in turn on the same work and prints both rates and their ratio, round by round and in the median.

See Tools/compare, which sets the environment up and calls this.
"""
import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
parser = argparse.ArgumentParser()
parser.add_argument("--rlkd", required=True, help="the program")
parser.add_argument("--models", required=True, help="where models.py wrote")
parser.add_argument("--llama-python", help="a Python with llama-cpp-python and gguf; its workloads are left out without")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--json", action="store_true")
parser.add_argument("words", nargs="*", help="parts of workloads' names, such as train small; all workloads without any")
options = parser.parse_args()


def last_json(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"compare: {' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def peer(script, *arguments):
    return lambda: json.loads(last_json([sys.executable, str(HERE / script), *arguments]).strip().splitlines()[-1])


def llama(command, name, *arguments):
    """llama.cpp in its own environment, on the model as a GGUF file, which is written once."""
    def run():
        file = Path(options.models) / f"{name}.gguf"
        if not file.exists():
            last_json([options.llama_python, str(HERE / "gguf_model.py"), model(name), f"{file}.part"])
            Path(f"{file}.part").rename(file)
        return json.loads(last_json([options.llama_python, str(HERE / "llama.py"), command, str(file), *arguments]))

    return run


def ours(kind, *arguments, key="tokensPerSecond"):
    def run():
        report = json.loads(last_json([options.rlkd, "bench", kind, *arguments, "--json"]))
        return {result["name"]: result[key] for result in report["results"]}

    return run


def model(name):
    return str(Path(options.models) / name)


def layers(name):
    """A directory with the model's shape but hardly a vocabulary: the products of its layers alone."""
    directory = Path(options.models) / "layers" / name
    directory.mkdir(parents=True, exist_ok=True)
    configuration = json.loads((Path(model(name)) / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps(configuration | {"vocab_size": 64}))
    return str(directory)


def products(dtype, rows):
    """PyTorch's names are shapes, ours gemm.DTYPE.forward.SHAPE: put under the shapes. PyTorch has all threads at one product,
    rlkd a product on each, as its rollout workers do.
    """
    shapes = [
        f"{rows}x{outputs}x{depth}"
        for outputs, depth in [
            (512, 256), (256, 256), (1408, 256), (256, 704), (768, 512), (512, 512), (2816, 512), (512, 1408),
            (1152, 896), (896, 896), (9728, 896), (896, 4864)]]
    prefix = f"gemm.{dtype}.forward."

    def run():
        rates = {}
        for name in ["tiny", "small", "qwen05"]:
            rates |= ours(
                "kernels", "--model", layers(name), "--dtype", dtype, "--batch", str(rows), key="GFLOPS")()
        return {name.removeprefix(prefix): rate for name, rate in rates.items() if name.startswith(prefix)}

    return peer("pytorch.py", "products", dtype, *shapes), run


workloads = {}
for dtype in ["bf16", "f32"]:
    for rows in [64, 256, 1024]:
        workloads[f"products.{dtype}.{rows}"] = products(dtype, rows)
for name, batch in [("tiny", 64), ("small", 64), ("qwen05", 32)]:
    decode = ours(
        "rollout", "--model", model(name), "--dtype", "bf16", "--batch", str(batch), "--prompt", "64", "--new", "128")
    prefill = ours(
        "rollout", "--model", model(name), "--dtype", "bf16", "--batch", "1", "--prompt", "512", "--new", "8")
    workloads[f"decode.{name}"] = peer("pytorch.py", "decode", model(name), str(batch), "64", "128", "bf16"), decode
    workloads[f"prefill.{name}"] = peer("pytorch.py", "prefill", model(name), "512", "bf16"), prefill
    if options.llama_python:
        workloads[f"decode.{name}.llama"] = llama("decode", name, str(batch), "64", "128"), decode
        workloads[f"prefill.{name}.llama"] = llama("prefill", name, "512"), prefill
for name, sequences in [("tiny", 32), ("small", 16)]:
    workloads[f"train.{name}"] = (
        peer("pytorch.py", "train", model(name), str(sequences), "192", "bf16"),
        ours("learner", "--model", model(name), "--dtype", "bf16", "--batch", str(sequences), "--length", "192"))
for name in ["tiny", "small"]:
    workloads[f"grpo.{name}"] = (
        peer("trl_grpo.py", model(name), "8", "8", "128", "bf16"),
        ours("pipeline", "--model", model(name), "--dtype", "bf16", "--batch", "8", "--new", "128"))


def chosen(asked):
    """`train small` is train.small; `decode train small` that and decode.small; `small` all that have that model."""
    asked = {part for word in asked for part in word.split(".")}
    kinds, *others = [
        {name.split(".")[0] for name in workloads}, {"tiny", "small", "qwen05"}, {"bf16", "f32"}, {"64", "256", "1024"},
        {"llama"} if options.llama_python else set()]
    unknown = asked - kinds.union(*others)
    if unknown:
        sys.exit(f"compare: no workload has {', '.join(sorted(unknown))}; there are {', '.join(workloads)}")

    def fits(name):
        own = set(name.split("."))
        # A word of a sort that this kind of workload does not have leaves it in if the kind was asked for.
        return all(
            not asked & sort or own & asked & sort or (asked & kinds and not own & sort) for sort in [kinds, *others])

    return [name for name in workloads if fits(name)]


def rows(name, rounds):
    """One row a rate that both sides have, then the geometric mean of several."""
    table = []
    for key in rounds[0][0]:
        pairs = [(theirs[key], own[key]) for theirs, own in rounds if key in own]
        if pairs:
            table.append(row(name if len(rounds[0][0]) == 1 else f"{name}.{key}", pairs))
    if len(table) > 1:
        means = [
            [statistics.geometric_mean(column) for column in zip(*(each["rounds"][index] for each in table))]
            for index in range(len(rounds))]
        table.append(row(f"{name} mean", means))
    return table


def row(name, pairs):
    ratios = [own / theirs for theirs, own in pairs]
    return {
        "workload": name,
        "peer": statistics.median(theirs for theirs, _ in pairs),
        "rlkd": statistics.median(own for _, own in pairs),
        "ratio": statistics.median(ratios),
        "ratios": ratios,
        "rounds": [list(pair) for pair in pairs],
    }


def in_turn(theirs, own, first):
    """Both rates; who goes first changes from round to round."""
    if first == "peer":
        rate = theirs()
        return rate, own()
    rate = own()
    return theirs(), rate


table = []
names = chosen(options.words)
if not names:
    sys.exit(f"compare: no workload is all of {' '.join(options.words)}; there are {', '.join(workloads)}")
for name in names:
    theirs, own = workloads[name]
    measured = [in_turn(theirs, own, "rlkd" if index % 2 else "peer") for index in range(options.rounds)]
    for each in rows(name, measured):
        table.append(each)
        if not options.json:
            ratios = " ".join(f"{ratio:.2f}" for ratio in each["ratios"])
            print(f"{each['workload']:<34} peer {each['peer']:>9.1f}  rlkd {each['rlkd']:>9.1f}  "
                  f"ratio {each['ratio']:>5.2f}  by round {ratios}", flush=True)
if options.json:
    print(json.dumps(table, indent=1))
