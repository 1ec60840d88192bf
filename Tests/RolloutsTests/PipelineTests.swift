import Generation
import Learning
import Models
import Pipelines
import Rollouts
import ServiceLifecycle
import StructureRewards
import Synchronization
import Testing
import Trajectories
import UnixSignals

@Suite(.timeLimit(.minutes(30))) struct PipelineTests {
    /// What holds for every whole run, whatever the schedule was.
    private func check(_ pipeline: TestPipeline, sourceLocation: SourceLocation = #_sourceLocation) {
        let settings = pipeline.settings
        let lessons = pipeline.lessons
        #expect(
            lessons.flatMap { $0.groups.map(\.request.ordinal) }
                == Array(0..<settings.batches * settings.groupsPerBatch), sourceLocation: sourceLocation)
        for (batch, lesson) in lessons.enumerated() {
            #expect(lesson.version == PolicyVersion(batch), sourceLocation: sourceLocation)
            for group in lesson.groups {
                #expect(
                    group.rollouts.map(\.rollout.sample) == Array(0..<settings.groupSize),
                    sourceLocation: sourceLocation)
                for scored in group.rollouts {
                    let rollout = scored.rollout
                    let count = rollout.tokens.count
                    #expect(count > 0 && count <= group.request.maxNewTokens, sourceLocation: sourceLocation)
                    #expect(rollout.logProbabilities.count == count, sourceLocation: sourceLocation)
                    #expect(rollout.versions.count == count, sourceLocation: sourceLocation)
                    #expect(rollout.isSampled == rollout.tokens.map { _ in true }, sourceLocation: sourceLocation)
                    #expect(rollout.versions == rollout.versions.sorted(), sourceLocation: sourceLocation)
                    let ages = rollout.versions.map { lesson.version.rawValue - $0.rawValue }
                    #expect(
                        ages.allSatisfy { (0...settings.maxStaleness).contains($0) }, sourceLocation: sourceLocation)
                }
            }
            if settings.maxStaleness == 0 {
                #expect(lesson.update.ratioDeviation == 0, sourceLocation: sourceLocation)
            }
        }
        for (depth, capacity) in [
            (pipeline.requests.statistics.maxDepth, pipeline.requests.capacity),
            (pipeline.rollouts.statistics.maxDepth, pipeline.rollouts.capacity),
            (pipeline.scored.statistics.maxDepth, pipeline.scored.capacity),
        ] {
            #expect(depth <= capacity, sourceLocation: sourceLocation)
        }
    }

    // MARK: Whole runs

    @Test(arguments: [0, 1, 3])
    func everyGroupIsLearnedOnceAndInOrderUnderAnySchedule(maxStaleness: Int) async throws {
        var stalest = 0
        for seed in 0..<16 {
            let executor = EmbeddedExecutor(seed: UInt64(seed))
            var settings = TestPipeline.Settings()
            settings.maxStaleness = maxStaleness
            settings.batches = 5
            settings.capacity = 1 + seed % 3
            settings.workers = 1 + seed % 4
            let pipeline = try TestPipeline(settings, lane: executor)
            try await pipeline.run(on: executor)
            check(pipeline)
            for lesson in pipeline.lessons {
                for scored in lesson.groups.flatMap(\.rollouts) {
                    let oldest = scored.rollout.oldestVersion ?? lesson.version
                    stalest = max(stalest, lesson.version.rawValue - oldest.rawValue)
                }
            }
        }
        #expect(stalest == maxStaleness, "the bound is reached, so that it was tested")
    }

    @Test(arguments: [0, 1, 3], [1, 2, 3])
    func everyGroupIsLearnedOnceAndInOrderOnThreads(maxStaleness: Int, threads: Int) async throws {
        let executor = ComputeExecutor(threads: threads, pinned: false)
        defer { executor.shutdown() }
        var settings = TestPipeline.Settings()
        settings.maxStaleness = maxStaleness
        settings.workers = threads
        settings.batches = 8
        let pipeline = try TestPipeline(settings, lane: executor.lane(.learner))
        let ending = await run(pipeline, pipeline.stages(on: executor))
        #expect(ending.isFinished)
        check(pipeline)
    }

    @Test func synchronousRunsEndInTheSameBits() async throws {
        var first: [UInt32]?
        func expectSame(_ pipeline: TestPipeline) {
            #expect(pipeline.lessons.count == 6)
            if let first {
                #expect(pipeline.bits == first)
            } else {
                first = pipeline.bits
            }
        }
        for (index, threads) in [1, 2, 3, 2].enumerated() {
            let executor = ComputeExecutor(threads: threads, pinned: false)
            defer { executor.shutdown() }
            var settings = TestPipeline.Settings()
            settings.batches = 6
            settings.workers = [1, 3, 2, 5][index]
            settings.batchCapacity = [3, 6, 4, 64][index]
            settings.scoringWorkers = 1 + index
            settings.learnerThreads = threads
            settings.capacity = [1, 2, 8, 1][index]
            let pipeline = try TestPipeline(settings, lane: executor.lane(.learner))
            _ = await run(pipeline, pipeline.stages(on: executor))
            expectSame(pipeline)
        }
        for seed in 0..<3 {
            let executor = EmbeddedExecutor(seed: UInt64(seed))
            var settings = TestPipeline.Settings()
            settings.batches = 6
            let pipeline = try TestPipeline(settings, lane: executor)
            try await pipeline.run(on: executor)
            expectSame(pipeline)
        }
    }

    // MARK: Backpressure

    /// Without a learner everything fills up and stands still, and nothing is sampled beyond what the queues hold.
    @Test func aConsumerThatDoesNotTakeStopsTheSource() async throws {
        let executor = EmbeddedExecutor(seed: 3)
        var settings = TestPipeline.Settings()
        settings.batches = 20
        settings.maxStaleness = 100
        settings.workers = 1
        settings.batchCapacity = settings.groupSize
        let pipeline = try TestPipeline(settings, lane: executor)
        let upstream: [any Service] = [
            pipeline.source, pipeline.generation(lane: executor), pipeline.scoring(lane: executor),
        ]
        let tasks = upstream.map { service in
            Task(executorPreference: executor) { try await service.run() }
        }
        // Nobody can go on once all of these wait.
        try await executor.step {
            pipeline.scored.suspended.senders == 2 && pipeline.rollouts.suspended.senders == 1
                && pipeline.requests.suspended.senders == 1
        }
        #expect(pipeline.scored.count == 1)
        #expect(pipeline.rollouts.count == 1)
        #expect(pipeline.requests.count == 1)
        // One in each queue, one with each of three blocked workers.
        #expect(pipeline.requests.statistics.sends == 6)

        // A learner frees them, and all is delivered.
        let learning = pipeline.learning(lane: executor)
        try await executor.drive {
            try await learning.run()
            for task in tasks { try await task.value }
        }
        check(pipeline)
    }

    @Test func theSourceWaitsForTheVersionThatTheBoundAsksFor() throws {
        for maxStaleness in 0...2 {
            let executor = EmbeddedExecutor(seed: 9)
            var settings = TestPipeline.Settings()
            settings.maxStaleness = maxStaleness
            settings.batches = 10
            settings.capacity = 100
            let pipeline = try TestPipeline(settings, lane: executor)
            let source = pipeline.source
            let task = Task(executorPreference: executor) { try? await source.run() }
            executor.runUntilIdle()
            #expect(pipeline.requests.count == settings.groupsPerBatch * (1 + maxStaleness))
            pipeline.store.publish(pipeline.parameters, version: PolicyVersion(1))
            executor.runUntilIdle()
            #expect(pipeline.requests.count == settings.groupsPerBatch * (2 + maxStaleness))
            task.cancel()
            executor.runUntilIdle()
        }
    }

    // MARK: What goes wrong

    /// Throws what is no `DecompositionFailure` from its fifth path on.
    private final class FailingDecomposer: Decomposer {
        private let calls = Atomic<Int>(0)

        func structure(of text: String, question: String?) async throws -> Structure {
            if calls.add(1, ordering: .relaxed).newValue >= 5 { throw Fault() }
            return Structure(steps: [])
        }
    }

    @Test(arguments: [0, 2])
    func aScorerThatThrowsEndsTheRun(maxStaleness: Int) async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        var settings = TestPipeline.Settings()
        settings.maxStaleness = maxStaleness
        settings.batches = 50
        let pipeline = try TestPipeline(settings, lane: executor.lane(.learner))
        let ending = await run(pipeline, pipeline.stages(on: executor, decomposer: FailingDecomposer()))
        #expect(ending.failedStage == .scoring)
        #expect(ending.error is Fault)
        #expect(pipeline.lessons.count < 3)
    }

    @Test func aProblemThatCannotBeServedEndsTheRun() async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        for question in [String(repeating: "a", count: 39), "what?"] {
            let problems = (0..<3).map { Problem(id: "p\($0)", question: "ab", answer: "a") }
            let bad = Problem(id: "bad", question: question, answer: "a")
            let pipeline = try TestPipeline(lane: executor.lane(.learner), problems: problems + [bad])
            let ending = await run(pipeline, pipeline.stages(on: executor))
            #expect(ending.failedStage == .rollout)
            let error = try #require(ending.error as? UnservableProblem)
            #expect(error.problem == "bad")
            #expect(!error.reason.isEmpty)
            #expect(pipeline.lessons.count <= 1)
        }
    }

    @Test func anObserverThatThrowsEndsTheRun() async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let pipeline = try TestPipeline(lane: executor.lane(.learner))
        let stages = pipeline.stages(on: executor) { lesson in
            if lesson.version == PolicyVersion(2) { throw Fault() }
        }
        let ending = await run(pipeline, stages)
        #expect(ending.failedStage == .learning)
        #expect(ending.error is Fault)
        #expect(pipeline.lessons.count == 3)
    }

    @Test func weightsThatAreNotNumbersEndTheRunWithTheBatch() async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let pipeline = try TestPipeline(lane: executor.lane(.learner), change: { $0.pointer[40] = .nan })
        let before = pipeline.bits
        let ending = await run(pipeline, pipeline.stages(on: executor))
        #expect(ending.failedStage == .learning)
        let error = try #require(ending.error as? FailedUpdate)
        #expect(error.groups.map(\.request.ordinal) == [0, 1])
        #expect(error.cause.step == 1)
        #expect(pipeline.bits == before)
        #expect(pipeline.store.version == PolicyVersion(0))
    }

    // MARK: Ending early

    @Test(arguments: [0, 1, 3])
    func theFirstSignalDrains(maxStaleness: Int) async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        var settings = TestPipeline.Settings()
        settings.maxStaleness = maxStaleness
        settings.batches = 100_000
        let pipeline = try TestPipeline(settings, lane: executor.lane(.learner))
        let signals = AsyncStream.makeStream(of: UnixSignal.self)
        let stages = pipeline.stages(on: executor) { lesson in
            if lesson.version == PolicyVersion(2) { signals.continuation.yield(.sigint) }
        }
        let ending = await StageSupervisor(stages: stages, logger: quietLogger).run(signals: signals.stream)
        #expect(ending.isInterrupted(drained: true))
        // Whatever entered was sampled, scored and received; whole batches of it were learned.
        let sent = pipeline.requests.statistics.sends
        #expect(pipeline.scored.statistics.receives == sent)
        #expect(pipeline.lessons.count == sent / settings.groupsPerBatch)
        #expect(pipeline.lessons.count >= 3)
        #expect(pipeline.store.version == PolicyVersion(pipeline.lessons.count))
        // The rest waits; nothing but prompts begun again was thrown away.
        let learned = pipeline.lessons.count * settings.groupsPerBatch
        #expect(pipeline.waiting.snapshot().map(\.request.ordinal) == Array(learned..<sent))
        #expect(pipeline.clock.report().discardedWork.groups == 0)
    }

    /// Whatever was begun was learned, waits somewhere, or is counted as thrown away.
    private func expectAllAccounted(_ pipeline: TestPipeline, sourceLocation: SourceLocation = #_sourceLocation) {
        let learned = pipeline.lessons.flatMap { $0.groups.map(\.request.ordinal) }
        let waiting = pipeline.waiting.snapshot().map(\.request.ordinal)
        let queued =
            pipeline.scored.snapshot().map(\.request.ordinal) + pipeline.rollouts.snapshot().map(\.request.ordinal)
        let kept = learned + waiting + queued
        #expect(Set(kept).count == kept.count, sourceLocation: sourceLocation)
        let discarded = pipeline.clock.report().discardedWork.groups
        #expect(
            pipeline.requests.statistics.receives == kept.count + discarded, "\(kept) \(discarded)",
            sourceLocation: sourceLocation)
    }

    @Test(arguments: 1...8) func whatACancellationThrowsAwayIsCounted(batches: Int) async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        var settings = TestPipeline.Settings()
        settings.maxStaleness = 4
        settings.batches = 100_000
        settings.capacity = 1 + batches % 3
        let pipeline = try TestPipeline(settings, lane: executor.lane(.learner))
        let signals = AsyncStream.makeStream(of: UnixSignal.self)
        let stages = pipeline.stages(on: executor) { lesson in
            guard lesson.version.rawValue == batches else { return }
            signals.continuation.yield(.sigint)
            signals.continuation.yield(.sigint)
            // Only the cancellation ends this wait: otherwise all might be worked off before it comes.
            try await Task.sleep(for: .seconds(3600))
        }
        let ending = await StageSupervisor(stages: stages, logger: quietLogger).run(signals: signals.stream)
        #expect(ending.isInterrupted(drained: false))
        expectAllAccounted(pipeline)
    }

    @Test func whatAFailureThrowsAwayIsCounted() async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        var settings = TestPipeline.Settings()
        settings.maxStaleness = 3
        settings.batches = 50
        let failing = try TestPipeline(settings, lane: executor.lane(.learner))
        let ending = await run(failing, failing.stages(on: executor, decomposer: FailingDecomposer()))
        #expect(ending.failedStage == .scoring)
        #expect(failing.clock.report().discards.contains { $0.stage == .scoring && $0.work.groups > 0 })
        expectAllAccounted(failing)

        let absurd = try TestPipeline(settings, lane: executor.lane(.learner), change: { $0.pointer[40] = .nan })
        #expect(await run(absurd, absurd.stages(on: executor)).failedStage == .learning)
        #expect(
            absurd.clock.report().discards.first { $0.cause == .failedUpdate }?.work.groups == settings.groupsPerBatch)
        expectAllAccounted(absurd)
    }

    @Test func theSecondSignalCancels() async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        var settings = TestPipeline.Settings()
        settings.maxStaleness = 3
        settings.batches = 100_000
        let pipeline = try TestPipeline(settings, lane: executor.lane(.learner))
        let signals = AsyncStream.makeStream(of: UnixSignal.self)
        let stages = pipeline.stages(on: executor) { lesson in
            guard lesson.version == PolicyVersion(2) else { return }
            signals.continuation.yield(.sigterm)
            signals.continuation.yield(.sigterm)
            // Only a cancellation ends this wait.
            try await Task.sleep(for: .seconds(3600))
        }
        let ending = await StageSupervisor(stages: stages, logger: quietLogger).run(signals: signals.stream)
        #expect(ending.isInterrupted(drained: false))
        #expect(pipeline.lessons.count == 3)
        #expect(pipeline.store.version == PolicyVersion(3))
    }

    @Test func aCancelledRunEndsBetweenUpdates() async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        var settings = TestPipeline.Settings()
        settings.maxStaleness = 1
        settings.batches = 100_000
        let pipeline = try TestPipeline(settings, lane: executor.lane(.learner))
        let begun = AsyncStream.makeStream(of: Void.self)
        let stages = pipeline.stages(on: executor) { _ in begun.continuation.yield() }
        let task = Task { await run(pipeline, stages) }
        for await _ in begun.stream.prefix(2) {}
        task.cancel()
        #expect(await task.value.isInterrupted(drained: false))
        let version = await pipeline.learner.version
        #expect(pipeline.store.version == version)
        #expect((pipeline.lessons.count...pipeline.lessons.count + 1).contains(version.rawValue))
    }

    private func run(_ pipeline: TestPipeline, _ stages: [SupervisedStage]) async -> RunEnding {
        let signals = AsyncStream.makeStream(of: UnixSignal.self)
        return await StageSupervisor(stages: stages, logger: quietLogger).run(signals: signals.stream)
    }
}

extension RunEnding {
    var isFinished: Bool {
        if case .finished = self { true } else { false }
    }

    func isInterrupted(drained expected: Bool) -> Bool {
        if case .interrupted(let drained) = self { drained == expected } else { false }
    }

    var failedStage: Stage? {
        if case .failed(let stage, _) = self { stage } else { nil }
    }

    var error: (any Error)? {
        if case .failed(_, let error) = self { error } else { nil }
    }
}
