import Learning
import Pipelines
import Testing
import Trajectories

/// The learning stage on groups that a test hands it.
@Suite(.timeLimit(.minutes(30))) struct LearningStageTests {
    /// Groups of ordinals 0..<count under version 0, as the stages before would give them.
    private func groups(_ count: Int) async throws -> [ScoredGroup] {
        let executor = EmbeddedExecutor(seed: 2)
        var settings = TestPipeline.Settings()
        settings.batches = 1
        settings.groupsPerBatch = count
        let pipeline = try TestPipeline(settings, lane: executor)
        try await pipeline.run(on: executor)
        return pipeline.lessons[0].groups
    }

    private func learn(
        _ groups: [ScoredGroup], maxStaleness: Int = 3, batches: Int = 3
    ) async throws -> TestPipeline {
        let executor = EmbeddedExecutor(seed: 8)
        var settings = TestPipeline.Settings()
        settings.maxStaleness = maxStaleness
        settings.batches = batches
        settings.capacity = 1
        let pipeline = try TestPipeline(settings, lane: executor)
        let learning = pipeline.learning(lane: executor)
        try await executor.drive {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    for group in groups { try await pipeline.scored.send(group) }
                    pipeline.scored.close()
                }
                tasks.addTask { try await learning.run() }
                for try await _ in tasks {}
            }
        }
        return pipeline
    }

    @Test func theOrderOfArrivalLeavesNoTrace() async throws {
        let groups = try await groups(6)
        let inOrder = try await learn(groups)
        for order in [[5, 4, 3, 2, 1, 0], [1, 0, 3, 2, 5, 4], [4, 0, 5, 1, 2, 3]] {
            let pipeline = try await learn(order.map { groups[$0] })
            #expect(pipeline.lessons.map { $0.groups.map(\.request.ordinal) } == [[0, 1], [2, 3], [4, 5]])
            #expect(pipeline.bits == inOrder.bits)
        }
    }

    @Test func aRolloutBeyondTheBoundIsNotLearned() async throws {
        let groups = try await groups(6)
        let error = await #expect(throws: StaleRollout.self) { try await learn(groups, maxStaleness: 1) }
        #expect(error?.staleness == 2)
        #expect(error?.maxStaleness == 1)
        #expect(error?.problem == groups[4].request.problem.id)
    }

    @Test func aBatchThatIsNotWholeIsNotLearned() async throws {
        let groups = try await groups(6)
        #expect(try await learn(Array(groups.prefix(5))).lessons.count == 2)
        #expect(try await learn(Array(groups.dropFirst())).lessons.isEmpty)
        #expect(try await learn([]).lessons.isEmpty)
    }
}
