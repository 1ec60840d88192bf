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
        let longest = max(0, (rows.map(\.tokens.count).max() ?? 0) - 1)
        try await ParallelRows.run(count: rows.count, on: executor, lane: .learner, into: output) {
            let pass = Backpropagation(configuration: weights.configuration, storage: nil)
            // Buffers that grow from row to row would leave all those that they grew out of.
            pass.reserve(rows: longest, targets: longest, positions: longest)
            return { index in
                let row = LogProbabilityRow(id: rows[index].id, logprobs: logProbabilities(pass, rows[index].tokens))
                guard row.logprobs.allSatisfy(\.isFinite) else {
                    throw UnusableModel(path: model, row: row.id.description)
                }
                return (try JSONLine.encode(row), ())
            }
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
