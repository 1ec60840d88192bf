import Foundation
import StructureRewards
import TestSupport
import Testing
import Trajectories

@testable import Training

/// The finished work that a checkpoint holds, and what becomes of it.
@Suite(.timeLimit(.minutes(30))) struct PipelineStateTests {
    private static let maxStaleness = 2

    static func configuration(_ output: URL) -> RunConfiguration {
        var configuration = TestRun.configuration(output: output)
        configuration.maxStaleness = maxStaleness
        configuration.steps = 12
        configuration.checkpoints.every = 1
        return configuration
    }

    static func rollout(_ sample: Int, versions: ClosedRange<Int> = 3...5) -> Rollout {
        let versions = versions.map { PolicyVersion($0) }
        return Rollout(
            sample: sample, prompt: [1, 2], tokens: versions.map { Int32($0.rawValue) },
            logProbabilities: versions.map { -0.1 * Float($0.rawValue) }, versions: versions,
            isSampled: versions.map { _ in true }, finishReason: .length, text: "\(sample)")
    }

    private static func request(_ ordinal: Int) -> RolloutRequest {
        RolloutRequest(
            ordinal: ordinal, problem: Problem(id: "p\(ordinal)", question: "q", answer: "a"), visit: 0, maxNewTokens: 4
        )
    }

    private static func unscored(_ ordinal: Int) -> RolloutGroup {
        RolloutGroup(request: request(ordinal), rollouts: [rollout(0), rollout(1)])
    }

    private static func scored(_ ordinal: Int) -> ScoredGroup { scored(unscored(ordinal)) }

    static func scored(_ group: RolloutGroup) -> ScoredGroup {
        ScoredGroup(
            request: group.request,
            rollouts: group.rollouts.map {
                ScoredRollout(
                    rollout: $0,
                    reward: RewardComposition(accuracy: 15, format: 10, structure: 0.1).reward(
                        RewardComposition.Values(
                            accuracy: Double($0.sample), format: 0.1, structure: Double($0.sample) / 3)))
            })
    }

    // MARK: The value

    @Test func aGroupThatMovedOnMeanwhileCountsOnce() {
        let state = PipelineState(
            scored: [Self.scored(12), Self.scored(10), Self.scored(12)],
            unscored: [Self.unscored(10), Self.unscored(11)])
        #expect(state.scored.map(\.request.ordinal) == [10, 12])
        #expect(state.unscored.map(\.request.ordinal) == [11])
        #expect(state.ordinals == [10, 11, 12])
        #expect(state.groupCount == 3)
        #expect(state.rolloutCount == 6)
        #expect(state.tokenCount == 18)
    }

    @Test func whatIsWrittenIsReadBitForBit() async throws {
        var generator = SeededGenerator(seed: 17)
        var group = Self.scored(10)
        group.rollouts[0].rollout.logProbabilities = (0..<100_000).map { _ in
            var number = Float.nan
            while !number.isFinite { number = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &generator)) }
            return number
        }
        group.rollouts[1].rollout.logProbabilities = [-.infinity, -0.0, -Float.leastNonzeroMagnitude]
        group.rollouts[1].reward.total = -.infinity
        let state = PipelineState(scored: [group], unscored: [Self.unscored(11)])
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "pipeline.json")
            try state.write(to: file)
            let read = try PipelineState.read(file)
            #expect(read == state)
            for (one, other) in zip(read.scored[0].rollouts, state.scored[0].rollouts) {
                #expect(
                    one.rollout.logProbabilities.map(\.bitPattern) == other.rollout.logProbabilities.map(\.bitPattern))
            }
            #expect(throws: ConfigurationError.self) { try PipelineState.read(folder.appending(path: "none.json")) }
        }
    }

    // MARK: Damage

    private func check(_ state: PipelineState) throws {
        // Batches of two: at version 5 the groups 10 to 15 may wait.
        try PipelineStateCheck(
            file: URL(filePath: "/run/pipeline.json"), version: PolicyVersion(5), groupsPerBatch: 2, groupSize: 2,
            maxStaleness: Self.maxStaleness, steps: 100, vocabularySize: 9, maxPositions: 6, request: Self.request
        ).check(state)
    }

    @Test func stateThatCannotBeIsRefusedByField() throws {
        try check(PipelineState(scored: [Self.scored(10)], unscored: [Self.unscored(11)]))
        func refusal(_ change: (inout PipelineState) -> Void) -> String? {
            var state = PipelineState(scored: [Self.scored(10)], unscored: [Self.unscored(11)])
            change(&state)
            let error = #expect(throws: ConfigurationError.self) { try check(state) }
            #expect(error?.source == "/run/pipeline.json")
            return error?.key
        }
        #expect(refusal { $0.scored[0].request.ordinal = 9 } == "scored.0.request.ordinal")
        #expect(refusal { $0.scored[0].request.ordinal = 16 } == "scored.0.request.ordinal")
        #expect(refusal { $0.unscored[0] = Self.unscored(10) } == "unscored.0.request.ordinal")
        #expect(refusal { $0.unscored[0].request.problem.id = "other" } == "unscored.0.request")
        #expect(refusal { $0.unscored[0].request.visit = 1 } == "unscored.0.request")
        #expect(refusal { $0.unscored[0].rollouts.removeLast() } == "unscored.0.rollouts")
        #expect(refusal { $0.unscored[0].rollouts.swapAt(0, 1) } == "unscored.0.rollouts")
        #expect(refusal { $0.scored[0].rollouts[1].rollout.tokens = [] } == "scored.0.rollouts.1.rollout.tokens")
        #expect(refusal { $0.scored[0].rollouts[1].rollout.tokens[2] = 9 } == "scored.0.rollouts.1.rollout.tokens")
        #expect(refusal { $0.unscored[0].rollouts[1].prompt = [1] } == "unscored.0.rollouts.1.prompt")
        #expect(refusal { $0.unscored[0].rollouts[0].isSampled = [] } == "unscored.0.rollouts.0.isSampled")
        #expect(
            refusal { $0.unscored[0].rollouts[0].logProbabilities[0] = .nan }
                == "unscored.0.rollouts.0.logProbabilities"
        )
        // Ordinal 11 is of batch 5: versions 3 to 5 hold the bound.
        #expect(
            refusal { $0.unscored[0].rollouts[1] = Self.rollout(1, versions: 2...4) }
                == "unscored.0.rollouts.1.versions")
        #expect(
            refusal { $0.unscored[0].rollouts[1] = Self.rollout(1, versions: 4...6) }
                == "unscored.0.rollouts.1.versions")
        let reward = "scored.0.rollouts.1.reward"
        #expect(refusal { $0.scored[0].rollouts[1].reward.total = .nan } == "\(reward).total")
        // Beyond a float, and not what the terms add up to.
        for total in [1e300, -1e300, 0, 16.1] {
            #expect(refusal { $0.scored[0].rollouts[1].reward.total = total } == "\(reward).total")
        }
        #expect(refusal { $0.scored[0].rollouts[1].reward.terms = [] } == "\(reward).total")
        #expect(refusal { $0.scored[0].rollouts[1].reward.terms[0].weight = 15.0001 } == "\(reward).total")
        #expect(refusal { $0.scored[0].rollouts[1].reward.terms[1].value = 1e300 } == "\(reward).terms.1.value")
        #expect(refusal { $0.scored[0].rollouts[1].reward.terms[0].weight = .nan } == "\(reward).terms.0.weight")
    }

    @Test func aDamagedFileIsRefusedByFileAndField() async throws {
        let damages: [(key: String, change: (String) -> String)] = [
            ("", { String($0.dropLast(9)) }), ("", { _ in "" }),
            ("format", { $0.replacing("\"format\":1", with: "\"format\":2") }),
            ("format", { $0.replacing("\"format\":1", with: "\"form\":1") }),
            ("scored.0.request.ordinal", { $0.replacing("\"ordinal\":10", with: "\"ordinal\":\"x\"") }),
            ("unscored", { $0.replacing("\"unscored\":[]", with: "\"unscored\":3") }),
        ]
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "pipeline.json")
            for damage in damages {
                try PipelineState(scored: [Self.scored(10)]).write(to: file)
                let text = damage.change(try String(contentsOf: file, encoding: .utf8))
                try Data(text.utf8).write(to: file)
                let error = #expect(throws: ConfigurationError.self) { try PipelineState.read(file) }
                #expect(error?.source == file.path)
                #expect(error?.key == damage.key)
            }
        }
    }

    // MARK: Runs

    /// The groups that each update consumed.
    private func consumed(_ directory: URL, steps: Int) throws -> [[ScoredGroup]] {
        try (1...steps).map { step in
            let file = RunDirectory(url: directory).rollouts.appending(path: "rlkd-step-\(step).jsonl")
            return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map {
                try JSONDecoder().decode(ScoredGroup.self, from: Data($0.utf8))
            }
        }
    }

    private func expectBound(_ batches: [[ScoredGroup]], sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(
            batches.flatMap { $0 }.map(\.request.ordinal) == Array(0..<2 * batches.count),
            "each once, in order", sourceLocation: sourceLocation)
        for (version, groups) in batches.enumerated() {
            for rollout in groups.flatMap(\.rollouts).map(\.rollout) {
                #expect(
                    rollout.versions.allSatisfy { (version - Self.maxStaleness...version).contains($0.rawValue) },
                    sourceLocation: sourceLocation)
            }
        }
    }

    /// Killed right after each checkpoint: what it holds is consumed as it stands, the rest is sampled again.
    @Test func whatACheckpointHoldsIsConsumedOnce() async throws {
        try await withTemporaryFolder { folder in
            let whole = folder.appending(path: "whole")
            try await TestRun.run(Self.configuration(whole))
            let wholly = try consumed(whole, steps: 12)
            expectBound(wholly)
            for step in 1...12 {
                let resumed = folder.appending(path: "resumed-\(step)")
                try FileManager.default.copyItem(at: whole, to: resumed)
                let run = RunDirectory(url: resumed)
                try FileManager.default.removeItem(at: run.summary)
                for later in (step + 1)..<13 {
                    try FileManager.default.removeItem(
                        at: run.checkpoints(of: .rlkd, isLast: true).appending(path: "step-\(later)"))
                }
                var state = try RunState.load(run)
                state.finished.removeAll { $0 == .rlkd }
                try state.write(to: run.state)
                let checkpoint = try #require(try Checkpoint.latest(in: run.checkpoints(of: .rlkd, isLast: true)))
                var waiting = try PipelineState.read(checkpoint.pipeline)
                #expect(waiting.ordinals.allSatisfy { $0 >= 2 * step && $0 < 2 * (step + 3) })
                if waiting.groupCount == 0, step < 12 {
                    // It goes by the threads whether any were ready in that instant; the next update's could have been.
                    let next = wholly[step]
                    waiting = PipelineState(
                        scored: [next[0]],
                        unscored: [RolloutGroup(request: next[1].request, rollouts: next[1].rollouts.map(\.rollout))])
                    try waiting.write(to: checkpoint.pipeline)
                }
                try await TestRun.run(Self.configuration(resumed), resuming: true)
                let batches = try consumed(resumed, steps: 12)
                expectBound(batches)
                let all = batches.flatMap { $0 }
                for group in waiting.scored { #expect(all[group.request.ordinal] == group) }
                for group in waiting.unscored {
                    #expect(all[group.request.ordinal].rollouts.map(\.rollout) == group.rollouts)
                }
                #expect(try TestRun.metrics(resumed).count == 7 + 12)
            }
        }
    }

    @Test func aCheckpointWithDamagedStateIsNotResumed() async throws {
        try await withTemporaryFolder { folder in
            let output = folder.appending(path: "run")
            var configuration = Self.configuration(output)
            configuration.steps = 3
            try await TestRun.run(configuration)
            let run = RunDirectory(url: output)
            var state = try RunState.load(run)
            state.finished.removeAll { $0 == .rlkd }
            try state.write(to: run.state)
            let folder = run.checkpoints(of: .rlkd, isLast: true)
            try FileManager.default.removeItem(at: folder.appending(path: "step-3"))
            let file = folder.appending(path: "step-2/pipeline.json")
            try PipelineState(unscored: [Self.unscored(4)]).write(to: file)
            let error = await #expect(throws: ConfigurationError.self) {
                try await TestRun.run(configuration, resuming: true)
            }
            #expect(error?.source == file.path)
            #expect(error?.key == "unscored.0.request")
            #expect(
                error?.reason.hasSuffix("; if its checkpoint is removed, the run goes on from the one before") == true)
            try PipelineState(unscored: [Self.unscored(60)]).write(to: file)
            let other = await #expect(throws: ConfigurationError.self) {
                try await TestRun.run(configuration, resuming: true)
            }
            #expect(other?.key == "unscored.0.request.ordinal")
        }
    }
}
