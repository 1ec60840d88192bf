import Tasks
import Testing
import Trajectories

@testable import Training

@Suite struct OverlongTests {
    private let problem = Problem(
        id: "p", question: "?a", answer: "1", traces: [TeacherTrace(text: "a=0+1|a;0+1a:1|#1")])

    private func reward(_ configuration: RewardConfiguration, tokens: Int) async throws -> Reward {
        let scorer = configuration.makeScorer(reader: QuantityGraphReader(), verifier: QuantityGraphVerifier())
        return try await scorer.score("a=0+1|a;0+1a:1|#1", tokens: tokens, for: problem)
    }

    @Test func isOffUnlessItHasAWeight() async throws {
        let plain = try await reward(RewardConfiguration(), tokens: 100_000)
        #expect(plain.terms.map(\.name) == ["accuracy", "format", "tagCount", "structure"])
    }

    /// DAPO's equation 13 with L_max 100 and L_cache 40.
    @Test(arguments: [(1, 0.0), (60, 0.0), (61, -0.025), (80, -0.5), (100, -1.0), (101, -1.0), (100_000, -1.0)])
    func isLinearFromStartToLimit(tokens: Int, value: Double) async throws {
        let plain = try await reward(RewardConfiguration(), tokens: tokens)
        var configuration = RewardConfiguration()
        configuration.overlong.weight = 3
        configuration.overlong.start = 60
        configuration.overlong.limit = 100
        let punished = try await reward(configuration, tokens: tokens)
        #expect(punished.value(of: "overlong") == value)
        #expect(abs(punished.total - plain.total - 3 * value) < 1e-12)
    }
}
