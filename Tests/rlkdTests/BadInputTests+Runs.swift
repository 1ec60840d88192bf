extension BadInputTests {
    /// Of runs and benchmarks, and of no command at all.
    static let runs: [Case] = [
        Case(command: "train /dev/zero --dry-run", says: ["/dev/zero: is a device"]),
        Case(command: "bench rollout --batch -1", status: 64, says: ["--batch is -1: it must be 1 to 1048576"]),
        Case(
            command: "train --threads -2 --dry-run", status: 64, says: ["--threads is -2: it must be 0 for all cores"]),
        Case(
            command: "train learner.adapters.targets= --dry-run",
            says: ["command line: learner.adapters.targets: has no value; it takes a list of q_proj, k_proj"]),
        Case(
            command: "train learner.adapters.rank=4 learner.adapters.targets=q_proj,lm_head --dry-run",
            says: ["command line: learner.adapters.targets: names lm_head, which the student ties to its embedding"]),
        Case(
            command: "train dtype= --dry-run", says: ["command line: dtype: has no value; it takes f32, bf16"]),
        Case(command: "train seed=-1 --dry-run", says: ["seed: is -1: it must be 0 to 18446744073709551615"]),
        Case(
            command: "train steps=99999999999999999999 --dry-run",
            says: ["steps: is 99999999999999999999: it must be 0 to 16777216"]),
        Case(
            command: "train arms=null --dry-run",
            says: ["command line: arms: has no value; it takes a list of sft, grpo, rlkd"]),
        Case(command: "bench kernels --batch 0", status: 64, says: ["--batch"]),
        Case(command: "bench kernels --batch 1,x", status: 64, says: ["--batch"]),
        Case(command: "bench kernels --model MODEL/none", says: ["none/config.json"]),
        Case(
            command: "bench rollout --model MODEL --prompt 60 --new 60 --threads 1",
            says: ["max_position_embeddings", "is 64, but --prompt 60, --new 60", "(of --batch 64)"]),
        // The batch alone is too large: an engine's first completion would grow while the others' prompts are computed.
        Case(
            command: "bench rollout --model MODEL --batch 999 --prompt 16 --new 16 --threads 1",
            says: ["is 64, but", "the 66 steps until all 999 completions of an engine run (of --batch 999) take 98"]),
        Case(
            command: "bench pipeline --model MODEL --prompt 60 --new 60",
            says: ["max_position_embeddings", "is 64, but --prompt 60 and --new 60 take 120"]),
        Case(command: "bench learner --shape large", status: 64, says: ["large", "small"]),
        Case(
            command: "bench learner --micro-batch-rows 16777217", status: 64,
            says: ["--micro-batch-rows is 16777217: it must be 1 to 16777216"]),
        Case(
            command: "train learner.microBatchRows=16777217 --dry-run",
            says: ["learner.microBatchRows: is 16777217: it must be 1 to 16777216"]),
        Case(
            command: "train learner.microBatchRows=0 --dry-run",
            says: ["learner.microBatchRows: is 0: it must be 1 to 16777216"]),
        Case(
            command: "train student.layers=20000 --dry-run",
            says: ["command line: student.layers: 20000 is not between 1 and 10000"]),
        Case(command: "train stepz=1 --dry-run", says: ["stepz", "“steps”"]),
        Case(command: "train steps=-1 --dry-run", says: ["command line: steps: is -1"]),
        Case(command: "train ROWS --dry-run", rows: "seed: 1\nsteps: -1", says: ["ROWS:2: steps: is -1"]),
        Case(command: "train ROWS --dry-run", rows: "seed: 1\nsteps: [", says: ["ROWS:2: is not YAML: "]),
        Case(command: "train MODEL/none --dry-run", says: ["MODEL/none: cannot be read: No such file"]),
        Case(command: "train MODEL --dry-run", says: ["MODEL: is a directory"]),
        Case(command: "train --threads 5000 --dry-run", status: 64, says: ["--threads"]),
        Case(command: "train --dtype f16 --dry-run", status: 64, says: ["f16"]),
        Case(command: "fly", status: 64, says: ["fly"]),
    ]
}
