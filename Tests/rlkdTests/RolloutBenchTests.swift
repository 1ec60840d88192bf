import Generation
import Models
import Testing
import Trajectories

@testable import rlkd

/// The room that `bench rollout` makes for completions that share prompts.
@Suite struct RolloutBenchTests {
    struct Shape: CustomTestStringConvertible {
        var batch: Int
        var prompt: Int
        var new: Int
        var group: Int

        var testDescription: String { "\(batch) × (\(prompt) + \(new)), groups of \(group)" }
        var positions: Int { RolloutBench.positions(batch: batch, prompt: prompt, new: new, group: group) }
        var capacity: Int {
            RolloutBench.positionCapacity(batch: batch, positions: positions, prompt: prompt, group: group)
        }
    }

    /// Groups that do and do not divide the batch, of one and of all; prompts of whole pages and not.
    static let shapes = [
        Shape(batch: 8, prompt: 64, new: 8, group: 1), Shape(batch: 8, prompt: 64, new: 8, group: 4),
        Shape(batch: 8, prompt: 71, new: 8, group: 3), Shape(batch: 12, prompt: 129, new: 3, group: 12),
        Shape(batch: 5, prompt: 7, new: 40, group: 5), Shape(batch: 16, prompt: 300, new: 1, group: 8),
        Shape(batch: 1, prompt: 33, new: 2, group: 1),
    ]

    /// An engine of that capacity runs the whole batch at once, which is what is timed.
    @Test(arguments: shapes) func theWholeBatchRunsAtOnce(shape: Shape) throws {
        let configuration = ModelConfiguration(
            hiddenSize: 8, intermediateSize: 8, layerCount: 1, attentionHeadCount: 1, keyValueHeadCount: 1,
            vocabularySize: 11, maxPositions: shape.positions)
        let weights = PolicyWeights(try Parameters.randomized(configuration: configuration, seed: 1))
        let generator = Generator(
            configuration: configuration, batchCapacity: shape.batch, positionCapacity: shape.capacity)
        for first in stride(from: 0, to: shape.batch, by: shape.group) {
            try generator.submit(
                GenerationRequest(
                    identifier: first, prompt: Array(repeating: Int32(first % 11), count: shape.prompt),
                    sampleCount: min(shape.group, shape.batch - first),
                    maxNewTokens: shape.positions - shape.prompt, endTokens: [], seed: 1,
                    problemKey: UInt64(first)))
        }
        var most = 0
        while generator.hasWork {
            _ = generator.step(weights)
            most = max(most, generator.activeCount)
        }
        #expect(most == shape.batch)
    }

    /// What a group shares is not there once for each of it: beside the pages that the completions fill there is a context to
    /// spare, and a few pages for each that round up.
    @Test(arguments: shapes) func whatAGroupSharesIsThereOnce(shape: Shape) {
        let page = 16
        let shared = shape.prompt / page
        let context = (shape.positions + page - 1) / page
        var filled = 0
        for first in stride(from: 0, to: shape.batch, by: shape.group) {
            filled += shared + min(shape.group, shape.batch - first) * (context - shared)
        }
        #expect(shape.capacity >= (filled + context) * page)
        #expect(shape.capacity <= (filled + 2 * context) * page + (shape.batch + 2) * 5 * page)
    }
}
