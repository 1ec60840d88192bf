import ArgumentParser
import Foundation
import Training

struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Accuracy, pass@k and structure score of a model on held-out problems.",
        discussion: """
            Keys are those of train: task.test=FILE, task.testProblems=100, task.graphs.modulus=13, seed=2, …; a run's \
            config.yaml can be given as it is. Accuracy is that of greedy completions, pass@k of samples; structure is the mean \
            structure reward of the samples. With --json one row a test set: {"name", "accuracy", "passAt1", "passAt8", "k" \
            (of passAt8, where there are fewer samples), "structure", "wellFormed", "problems"}.
            """)

    @Option(help: "A Hugging Face model directory, for example a checkpoint.")
    var model: String

    @Option(help: "quantityGraphs, gsm8k or jsonl; the configuration's, if left out.")
    var task: TaskConfiguration.Kind?

    @Option(help: "Samples of each problem beside the greedy completion. (default: the configuration's, 8)")
    var samples: Int?

    @Flag(help: "As JSON Lines.")
    var json = false

    @OptionGroup var compute: ComputeOptions

    @Argument(help: "A YAML file, then key=value pairs that change it.")
    var settings: [String] = []

    func validate() throws {
        if let samples { try OptionRange.check(["--samples": samples], from: 0) }
    }

    func run() async throws {
        try await Failure.reporting {
            let (file, overrides) = try ConfigurationArguments.split(settings)
            var (configuration, origins) = try ConfigurationReader.readWithOrigins(file: file, overrides: overrides)
            if let task {
                configuration.task.kind = task
                origins.setByOption("task.kind")
            }
            if let samples {
                configuration.evaluation.samples = samples
                origins.setByOption("evaluation.samples")
            }
            let evaluation = try await origins.locating {
                try ModelEvaluation(
                    model: model, configuration: configuration, precision: compute.dtype, logger: Diagnostics.logger)
            }
            if evaluation.dropped > 0 {
                Diagnostics.logger.notice("dropped \(evaluation.dropped) rows that do not fit the model's context")
            }
            let count = configuration.evaluation.samples
            try await origins.locating {
                try evaluation.need(
                    threads: compute.threadCount,
                    samples: samples == nil
                        ? .key("evaluation.samples", value: "\(count)") : .option("--samples", value: "\(count)")
                ).check()
            }
            let results = try await results(of: evaluation)
            if json {
                for result in results { try StandardOutput.write(row: result) }
            } else {
                var table = EvaluationTable(names: ["test"], samples: count)
                for result in results { table.add([result.name], result.scores) }
                try StandardOutput.write(line: table.text)
            }
        }
    }

    private func results(of evaluation: ModelEvaluation) async throws -> [ModelEvaluation.Result] {
        do {
            return try await evaluation.run(threads: compute.threadCount)
        } catch let error as NonFiniteEvaluation {
            throw UnusableModel(path: model, problem: error.description)
        }
    }
}

extension TaskConfiguration.Kind: ExpressibleByArgument {}
