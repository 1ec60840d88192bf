import Foundation
import Generation
import Models
import Trajectories

/// A small random model whose next tokens are far from certain, and rollouts that it samples.
enum TestModel {
    static func parameters(seed: UInt64 = 7, ties: Bool = true) throws -> Parameters {
        let configuration = ModelConfiguration(
            hiddenSize: 32, intermediateSize: 48, layerCount: 2, attentionHeadCount: 4, keyValueHeadCount: 2,
            vocabularySize: 41, maxPositions: 64, tiesEmbeddings: ties)
        return try Parameters.randomized(configuration: configuration, seed: seed, deviation: 0.1)
    }

    /// Groups of prompts of several lengths, rewarded by their share of even tokens.
    static func groups(
        _ weights: PolicyWeights, count: Int = 5, size: Int = 4, sampling: SamplingParameters = SamplingParameters()
    ) throws -> [ScoredGroup] {
        let generator = Generator(configuration: weights.configuration, batchCapacity: 7, prefillRows: 9)
        let prompts = (0..<count).map { group in (0..<3 + 7 * group).map { Int32(($0 * 5 + group) % 41) } }
        for (group, prompt) in prompts.enumerated() {
            try generator.submit(
                GenerationRequest(
                    identifier: group, prompt: prompt, sampleCount: size, maxNewTokens: 12 + group, sampling: sampling,
                    endTokens: [2], seed: 3, problemKey: UInt64(group)))
        }
        var completions: [Completion] = []
        while generator.hasWork { completions += generator.step(weights) }
        return prompts.enumerated().map { group, prompt in
            let members = completions.filter { $0.identifier == group }.sorted { $0.sample < $1.sample }
            return ScoredGroup(
                request: RolloutRequest(
                    ordinal: group, problem: Problem(id: "\(group)", question: "", answer: nil), visit: 0,
                    maxNewTokens: 12 + group),
                rollouts: members.map { scored($0, prompt: prompt) })
        }
    }

    private static func scored(_ completion: Completion, prompt: [Int32]) -> ScoredRollout {
        let even = completion.tokens.count { $0 % 2 == 0 }
        let total = 10 * Double(even) / Double(completion.tokens.count)
        return ScoredRollout(
            rollout: Rollout(
                sample: completion.sample, prompt: prompt, tokens: completion.tokens,
                logProbabilities: completion.logProbabilities, versions: completion.versions,
                isSampled: completion.tokens.map { _ in true }, finishReason: completion.finishReason, text: ""),
            reward: Reward(total: total, terms: []))
    }
}

extension Parameters {
    var bits: [UInt32] { (0..<count).map { pointer[$0].bitPattern } }
}

enum Fixture {
    static func decode<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name)")
        return try JSONDecoder().decode(type, from: Data(contentsOf: url))
    }
}
