import Models
import Pipelines

/// Computes the log-probabilities of rows of tokens with the learner's forward pass, on all threads.
struct BatchLogProbabilities: Sendable {
    var rows: [TokenRow]
    var weights: PolicyWeights
    /// Above 0.
    var temperature: Float
    /// Names the model in errors.
    var model: String

    /// - Throws: what `output` throws, and `UnusableModel`.
    func run(on executor: ComputeExecutor, into output: OrderedRows) async throws {
        let work = WorkList(count: rows.count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<min(executor.threads, rows.count) {
                group.addTask(executorPreference: executor.lane(.learner)) {
                    let pass = Backpropagation(configuration: weights.configuration)
                    while let index = work.claim() {
                        try Task.checkCancellation()
                        let row = LogProbabilityRow(
                            id: rows[index].id, logprobs: logProbabilities(pass, rows[index].tokens))
                        guard row.logprobs.allSatisfy(\.isFinite) else {
                            throw UnusableModel(path: model, row: row.id.description)
                        }
                        try await output.put(JSONLine.encode(row), at: index)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func logProbabilities(_ pass: Backpropagation, _ tokens: [Int32]) -> [Float] {
        guard tokens.count > 1 else { return [] }
        var batch = TrainingBatch()
        batch.append(tokens: tokens.dropLast())
        for (row, token) in tokens.dropFirst().enumerated() {
            batch.addTarget(row: row, token: token)
        }
        pass.forward(batch, weights: weights, temperature: temperature)
        return Array(pass.logProbabilities)
    }
}
