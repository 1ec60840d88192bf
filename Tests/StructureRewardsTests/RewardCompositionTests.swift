import Testing
import Trajectories

@testable import StructureRewards

@Suite struct RewardCompositionTests {
    private let values = RewardComposition.Values(
        accuracy: 1, format: 0.5, tagCount: 0.25, structure: 0.8, overlong: -0.5)

    @Test func referenceWeights() {
        let reward = RewardComposition().reward(values)
        #expect(reward.total == 15 + 5 + 2.5 + 12)
        #expect(reward.terms.map(\.name) == ["accuracy", "format", "tagCount", "structure"])
        #expect(reward.failure == nil)
    }

    @Test func alphaMixes() {
        let reward = RewardComposition(overlong: 2, alpha: 0.75).reward(values)
        #expect(reward.total == 0.75 * 12 + 0.25 * 22.5 - 1)
        #expect(reward.total == reward.terms.reduce(0) { $0 + $1.weight * $1.value })
        #expect(RewardComposition(alpha: 1).reward(values).total == 12)
        #expect(RewardComposition(alpha: 0).reward(values).total == 22.5)
    }

    @Test func partsWithoutWeightAreLeftOut() {
        let reward = RewardComposition(accuracy: 1, format: nil, tagCount: nil, structure: 0).reward(values)
        #expect(reward.terms.map(\.name) == ["accuracy", "structure"])
        #expect(reward.total == 1)
        #expect(reward.value(of: "structure") == 0.8)
    }

    @Test(arguments: [(0, 0.0), (80, 0.0), (90, -0.5), (100, -1.0), (101, -1.0)])
    func overlongIsLinear(tokens: Int, value: Double) {
        #expect(OverlongPenalty(limit: 100, cache: 20).value(tokens: tokens) == value)
    }

    @Test func overlongWithoutCache() {
        #expect(OverlongPenalty(limit: 10, cache: 0).value(tokens: 10) == 0)
        #expect(OverlongPenalty(limit: 10, cache: 0).value(tokens: 11) == -1)
    }
}
