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
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--json", action="store_true")
parser.add_argument("names", nargs="*", help="workloads, or the beginnings of their names; all without any")
options = parser.parse_args()


def last_json(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"compare: {' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def peer(script, *arguments):
    return lambda: json.loads(last_json([sys.executable, str(HERE / script), *arguments]).strip().splitlines()[-1])


def ours(kind, *arguments, key="tokensPerSecond"):
    def run():
        report = json.loads(last_json([options.rlkd, "bench", kind, *arguments, "--json"]))
        return {result["name"]: result[key] for result in report["results"]}

    return run


def model(name):
    return str(Path(options.models) / name)


def products(dtype, rows):
    """PyTorch's names are shapes, ours gemm.DTYPE.forward.SHAPE: put under the shapes."""
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
                "kernels", "--model", model(name), "--dtype", dtype, "--batch", str(rows), key="GFLOPS")()
        return {name.removeprefix(prefix): rate for name, rate in rates.items() if name.startswith(prefix)}

    return peer("pytorch.py", "products", dtype, *shapes), run


workloads = {}
for dtype in ["bf16", "f32"]:
    for rows in [64, 256, 1024]:
        workloads[f"products.{dtype}.{rows}"] = products(dtype, rows)
for name, batch in [("tiny", 64), ("small", 64), ("qwen05", 32)]:
    workloads[f"decode.{name}"] = (
        peer("pytorch.py", "decode", model(name), str(batch), "64", "128", "bf16"),
        ours("rollout", "--model", model(name), "--dtype", "bf16", "--batch", str(batch), "--prompt", "64",
             "--new", "128"))
workloads["prefill.qwen05"] = (
    peer("pytorch.py", "prefill", model("qwen05"), "512", "bf16"),
    ours("rollout", "--model", model("qwen05"), "--dtype", "bf16", "--batch", "1", "--prompt", "512", "--new", "8"))
for name, sequences in [("tiny", 32), ("small", 16)]:
    workloads[f"train.{name}"] = (
        peer("pytorch.py", "train", model(name), str(sequences), "192", "bf16"),
        ours("learner", "--model", model(name), "--dtype", "bf16", "--batch", str(sequences), "--length", "192"))
for name in ["tiny", "small"]:
    workloads[f"grpo.{name}"] = (
        peer("trl_grpo.py", model(name), "8", "8", "128", "bf16"),
        ours("pipeline", "--model", model(name), "--dtype", "bf16", "--batch", "8", "--new", "128"))

chosen = [name for name in workloads if not options.names or any(name.startswith(part) for part in options.names)]
if not chosen:
    sys.exit(f"compare: no workload is called so; there are {', '.join(workloads)}")
table = []
for name in chosen:
    theirs, own = workloads[name]
    rounds = [(theirs(), own()) for _ in range(options.rounds)]
    for key in rounds[0][0]:
        pairs = [(a[key], b[key]) for a, b in rounds if key in b]
        if not pairs:
            continue
        row = {
            "workload": name if len(rounds[0][0]) == 1 else f"{name}.{key}",
            "peer": statistics.median(a for a, _ in pairs),
            "rlkd": statistics.median(b for _, b in pairs),
            "ratio": statistics.median(b / a for a, b in pairs),
            "ratios": [b / a for a, b in pairs],
        }
        table.append(row)
        if not options.json:
            spread = f"{min(row['ratios']):.2f} to {max(row['ratios']):.2f}"
            print(f"{row['workload']:<36} peer {row['peer']:>9.1f}  rlkd {row['rlkd']:>9.1f}  "
                  f"ratio {row['ratio']:.2f} ({spread})", flush=True)
if options.json:
    print(json.dumps(table, indent=1))
