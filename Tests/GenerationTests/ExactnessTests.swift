import Models
import Testing
import Trajectories

@testable import Generation

/// The log-probabilities that generation records are the learner's, bit for bit, in every family and precision, whatever the
/// batch, the split of prompts, the temperature and the filters. The kernels are those that `RLKD_ISA` chooses.
@Suite struct ExactnessTests {
    /// One way to generate.
    struct Way: Sendable, CustomTestStringConvertible {
        var model: ExactnessModel
        var precision: Precision
        var batchCapacity: Int
        var prefillRows: Int
        var sampling: SamplingParameters

        var testDescription: String {
            "\(model) \(precision), batch \(batchCapacity), prefill \(prefillRows), \(sampling)"
        }
    }

    /// Every model with every batch and every sampling, and each of those with another of the others from model to model.
    static let ways: [Way] = {
        let batches = [(1, 256), (7, 5), (64, 1), (64, 16)]
        let samplings = [
            SamplingParameters.greedy, SamplingParameters(temperature: 0.7, topK: 9, topP: 0.8), SamplingParameters(),
            SamplingParameters(temperature: 1.3, topP: 0.9),
        ]
        return ExactnessModel.present.enumerated().flatMap { offset, model in
            Precision.allCases.enumerated().flatMap { turn, precision in
                batches.enumerated().map { index, batch in
                    Way(
                        model: model, precision: precision, batchCapacity: batch.0, prefillRows: batch.1,
                        sampling: samplings[(index + offset + 2 * turn) % samplings.count])
                }
            }
        }
    }()

    /// Prompts that end before, at and after the end of a block of keys, with one sample or several that share them.
    private func requests(_ way: Way, vocabulary: Int) -> [GenerationRequest] {
        [(1, 3), (15, 1), (16, 3), (17, 3), (33, 1), (48, 2)].enumerated().map { index, row in
            let prompt = (0..<row.0).map { (place: Int) in Int32((place * place * 7 + 5 * index + 3) % vocabulary) }
            return GenerationRequest(
                identifier: index, prompt: prompt, sampleCount: row.1, maxNewTokens: 18, sampling: way.sampling,
                endTokens: [2], seed: 5, problemKey: UInt64(index))
        }
    }

    private func generate(
        _ requests: [GenerationRequest], _ weights: PolicyWeights, batchCapacity: Int, prefillRows: Int
    ) throws -> [Completion] {
        let generator = Generator(
            configuration: weights.configuration, batchCapacity: batchCapacity, prefillRows: prefillRows)
        for request in requests { try generator.submit(request) }
        var completions: [Completion] = []
        while generator.hasWork { completions += generator.step(weights) }
        return completions.sorted { ($0.identifier, $0.sample) < ($1.identifier, $1.sample) }
    }

    /// Log-probabilities of the completions' tokens by the learner's pass.
    private func learned(
        _ groups: [(prompt: [Int32], completions: [[Int32]])], _ pass: Backpropagation, _ weights: PolicyWeights,
        _ temperature: Float
    ) -> [UInt32] {
        var batch = TrainingBatch()
        for group in groups { batch.append(prompt: group.prompt, completions: group.completions) }
        pass.forward(batch, weights: weights, temperature: temperature == 0 ? 1 : temperature)
        return pass.logProbabilities.map(\.bitPattern)
    }

    @Test(arguments: ways) func recordedLogProbabilitiesAreTheLearners(way: Way) throws {
        let weights = PolicyWeights(try way.model.parameters(way.precision))
        let requests = requests(way, vocabulary: weights.configuration.vocabularySize)
        let completions = try generate(
            requests, weights, batchCapacity: way.batchCapacity, prefillRows: way.prefillRows)
        try #require(completions.count == 13)
        let recorded = completions.map { $0.logProbabilities.map(\.bitPattern) }
        // So that errors can show: numbers of many kinds.
        #expect(Set(recorded.joined()).count > 20)
        let groups = requests.map { request in
            (request.prompt, completions.filter { $0.identifier == request.identifier }.map(\.tokens))
        }
        let pass = Backpropagation(configuration: weights.configuration)
        let temperature = way.sampling.temperature
        #expect(learned(groups, pass, weights, temperature) == Array(recorded.joined()), "all in one batch")
        let frugal = Backpropagation(configuration: weights.configuration, storage: .recomputed)
        for (index, group) in groups.enumerated() {
            let expected = completions.indices.filter { completions[$0].identifier == index }
            #expect(
                learned([group], frugal, weights, temperature) == expected.flatMap { recorded[$0] }, "prompt \(index)")
            for (completion, place) in zip(group.1, expected) {
                #expect(
                    learned([(group.0, [completion])], pass, weights, temperature) == recorded[place],
                    "sample \(place) alone")
            }
        }
    }

    /// Three generators at once, each with every third prompt, over one set of weights.
    @Test(arguments: Precision.allCases) func threadsLeaveNoTrace(precision: Precision) async throws {
        let way = Way(
            model: .qwen3, precision: precision, batchCapacity: 7, prefillRows: 16, sampling: SamplingParameters())
        let weights = PolicyWeights(try way.model.parameters(precision))
        let requests = requests(way, vocabulary: weights.configuration.vocabularySize)
        let whole = try generate(requests, weights, batchCapacity: 1, prefillRows: 256)
        let parts = try await withThrowingTaskGroup(of: [Completion].self) { group in
            for thread in 0..<3 {
                group.addTask {
                    try generate(
                        requests.filter { $0.identifier % 3 == thread }, weights, batchCapacity: 7, prefillRows: 16)
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(parts.sorted { ($0.identifier, $0.sample) < ($1.identifier, $1.sample) } == whole)
    }
}
