import Testing
import Trajectories

@testable import StructureRewards

private struct LastWordVerifier: OutcomeVerifier {
    func isCorrect(_ text: String, for problem: Problem) -> Bool { problem.answer.map { text.hasSuffix($0) } ?? false }
    func isWellFormed(_ text: String, for problem: Problem) -> Bool { text.contains("A: ") }
}

private func group(_ texts: [String], traces: [TeacherTrace]) -> RolloutGroup {
    let problem = Problem(id: "p", question: "How much?", answer: "8", traces: traces)
    let rollouts = texts.enumerated().map { index, text in
        Rollout(
            sample: index, prompt: [], tokens: Array(repeating: 1, count: text.utf8.count), logProbabilities: [],
            versions: [], isSampled: [], finishReason: .stop, text: text)
    }
    return RolloutGroup(
        request: RolloutRequest(ordinal: 3, problem: problem, visit: 0, maxNewTokens: 64), rollouts: rollouts)
}

@Suite struct ScorerTests {
    private let trace = TeacherTrace(text: "Cost of pens: 2 * 3 = 6\nTotal cost: 6 + 2 = 8\n#### 8")

    @Test func scoresAGroup() async throws {
        let scorer = Scorer(verifier: LastWordVerifier())
        let texts = ["Cost of pens: 2 * 3 = 6\nTotal cost: 6 + 2 = 8\nA: 8", "Cost of pens: 2 * 3 = 6", "nothing"]
        let scored = try await scorer.score(group(texts, traces: [trace]))
        #expect(scored.request.ordinal == 3)
        #expect(scored.rollouts.map(\.rollout.sample) == [0, 1, 2])
        #expect(scored.rollouts[0].reward.total == 50)
        #expect(scored.rollouts[0].reward.steps.count == 2)
        #expect(scored.rollouts[1].reward.value(of: "structure") == 0.5)
        #expect(scored.rollouts[1].reward.failure == nil)
        #expect(scored.rollouts[2].reward.total == 0)
        #expect(scored.rollouts[2].reward.failure == "student: line 1: no line states a result")
    }

    @Test func namesTheTeachersFailures() async throws {
        let scorer = Scorer(verifier: LastWordVerifier())
        let none = try await scorer.score(group(["1 + 1 = 2 A: 8"], traces: []))
        #expect(none.rollouts[0].reward.failure == "the problem has no teacher trace")
        #expect(none.rollouts[0].reward.value(of: "accuracy") == 1)
        let bad = try await scorer.score(group(["1 + 1 = 2"], traces: [TeacherTrace(text: "?")]))
        #expect(bad.rollouts[0].reward.failure?.hasPrefix("teacher: ") == true)
        let partly = try await scorer.score(group([trace.text], traces: [TeacherTrace(text: "?"), trace]))
        #expect(partly.rollouts[0].reward.value(of: "structure") == 1)
    }

    @Test func leavesStructureOutWhenNotAskedFor() async throws {
        let composition = RewardComposition(format: nil, tagCount: nil, structure: nil)
        let scorer = Scorer(composition: composition, verifier: LastWordVerifier())
        let scored = try await scorer.score(group(["8", "nothing"], traces: []))
        #expect(scored.rollouts.map(\.reward.total) == [15, 0])
        #expect(scored.rollouts.allSatisfy { $0.reward.failure == nil && $0.reward.steps.isEmpty })
    }

    @Test func appliesTheOverlongPenalty() async throws {
        let composition = RewardComposition(
            accuracy: nil, format: nil, tagCount: nil, structure: nil, overlong: 2,
            overlongPenalty: OverlongPenalty(limit: 4, cache: 2))
        let scored = try await Scorer(composition: composition, verifier: LastWordVerifier())
            .score(group(["ab", "abc", "abcd", "abcde"], traces: []))
        #expect(scored.rollouts.map(\.reward.total) == [0, -1, -2, -2])
    }

    @Test func manyWorkersAgree() async throws {
        let scorer = Scorer(verifier: LastWordVerifier())
        let texts = (0..<20).map { "Cost of pens: 2 * \($0 % 4) = \(2 * ($0 % 4))\nTotal cost: 6 + 2 = 8\nA: 8" }
        let group = group(texts, traces: [trace])
        let expected = try await scorer.score(group)
        try await withThrowingTaskGroup(of: ScoredGroup.self) { tasks in
            for _ in 0..<32 { tasks.addTask { try await scorer.score(group) } }
            for try await scored in tasks { #expect(scored == expected) }
        }
    }

    @Test func cancellationStops() async {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await Scorer(verifier: LastWordVerifier()).score(group(["1"], traces: []))
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func referenceScoresTagsUndivided() async throws {
        let text = "[sub-think 1] m [Query 1] q [Answer 1] 1 [sub-think 2] n [Answer 2] 2"
        let scorer = Scorer(
            studentDecomposer: TaggedDecomposer(), teacherDecomposer: DecompositionCache(TaggedDecomposer()),
            structureReward: StructureReward(judge: ExactJudge(), compatibility: .reference),
            verifier: LastWordVerifier())
        let scored = try await scorer.score(group([text, "none"], traces: [TeacherTrace(text: text)]))
        #expect(scored.rollouts[0].reward.value(of: "structure") == 2)
        #expect(scored.rollouts[1].reward.value(of: "structure") == 0)
        #expect(scored.rollouts[1].reward.failure != nil)
    }
}
