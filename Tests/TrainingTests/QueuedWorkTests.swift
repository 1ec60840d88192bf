import Foundation
import Models
import Pipelines
import Testing
import Trajectories

@testable import Learning
@testable import Training

/// Finished work in the queues, put there by hand, so that no thread decides what there is.
@Suite struct QueuedWorkTests {
    @Test func whatNoUpdateHasConsumedIsSavedAndReadBack() async throws {
        try await withTemporaryFolder { folder in
            let configuration = PipelineStateTests.configuration(folder.appending(path: "run"))
            let material = try RunMaterial(configuration, logger: TestRun.quietLogger)
            let directory = try RunDirectory.create(for: configuration, resuming: false)
            let runner = PhaseRunner(
                phase: .rlkd, configuration: configuration, material: material, directory: directory,
                recorder: RunRecorder(
                    directory: directory, configuration: configuration, logger: TestRun.quietLogger),
                threads: 1, isLast: true, signals: SignalWatch(), logger: TestRun.quietLogger)
            let executor = ComputeExecutor(threads: 1, pinned: false)
            defer { executor.shutdown() }

            // Batches of two: at version 0 the groups 0 to 5 may wait, 1 beside the learner for its batch's other one.
            let request = ReinforcementPhase.requests(material.task.training, seed: configuration.seed)
            let groups = (0..<6).map { ordinal in
                RolloutGroup(
                    request: request(ordinal),
                    rollouts: (0..<configuration.reinforcement.groupSize).map {
                        PipelineStateTests.rollout($0, versions: 0...0)
                    })
            }
            let queues = ReinforcementPhase.Queues(capacity: 2, clock: executor.clock)
            for ordinal in [4, 3] { try await queues.rollouts.send(groups[ordinal]) }
            for ordinal in [5, 2] { try await queues.scored.send(PipelineStateTests.scored(groups[ordinal])) }
            queues.waiting.add(PipelineStateTests.scored(groups[1]))

            let weights = PolicyWeights(material.student, version: PolicyVersion(0))
            let learner = Learner(
                parameters: material.student, version: weights.version, configuration: configuration.learner(of: .rlkd),
                store: PolicyStore(weights), lane: executor.lane(.learner), threads: 1, cores: 1)
            try await runner.save(learner, queues, keep: nil)

            let checkpoint = try #require(
                try Checkpoint.latest(in: directory.checkpoints(of: .rlkd, isLast: true)))
            let read = try PipelineState.read(checkpoint.pipeline)
            #expect(read.scored == [1, 2, 5].map { PipelineStateTests.scored(groups[$0]) })
            #expect(read.unscored == [3, 4].map { groups[$0] })
            let restored = try #require(try runner.queues(checkpoint, executor.clock))
            #expect(restored.unconsumed == read)
            #expect(restored.restored == [1, 2, 3, 4, 5])
        }
    }
}
