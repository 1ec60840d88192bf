import Glibc
import Logging
import ServiceLifecycle
import Testing
import UnixSignals

@testable import Pipelines

@Suite(.timeLimit(.minutes(30))) struct StageSupervisorTests {
    struct Fault: Error, Equatable {}

    /// A stage whose work is a closure.
    struct ClosureStage: Service {
        let body: @Sendable () async throws -> Void

        func run() async throws {
            try await body()
        }
    }

    /// Four stages over three queues of capacity 2, which count what passes.
    final class Pipeline: Sendable {
        let requests = BoundedQueue<Int>(name: "requests", capacity: 2)
        let rollouts = BoundedQueue<Int>(name: "rollouts", capacity: 2)
        let scored = BoundedQueue<Int>(name: "scored", capacity: 2)
        let sent = Counter()
        let learned = Counter()
        let ended = Recorder<Stage>()
        let signals = AsyncStream.makeStream(of: UnixSignal.self)

        func stages(
            source: (@Sendable () async throws -> Void)? = nil,
            rollout: (@Sendable (Int) async throws -> Void)? = nil,
            scoring: (@Sendable (Int) async throws -> Void)? = nil,
            learning: (@Sendable (Int) async throws -> Bool)? = nil,
            executor: ComputeExecutor? = nil
        ) -> [SupervisedStage] {
            let defaultSource: @Sendable () async throws -> Void = { [self] in
                while !Task.isShuttingDownGracefully {
                    try await requests.send(1)
                    sent.add()
                }
            }
            return [
                supervised(.problemSource, [], [requests], executor) { try await (source ?? defaultSource)() },
                supervised(.rollout, [requests], [rollouts], executor) { [self] in
                    while let number = try await requests.receive() {
                        try await rollout?(number)
                        try await rollouts.send(number)
                    }
                },
                supervised(.scoring, [rollouts], [scored], executor) { [self] in
                    while let number = try await rollouts.receive() {
                        try await scoring?(number)
                        try await scored.send(number)
                    }
                },
                supervised(.learning, [scored], [], executor) { [self] in
                    while let number = try await scored.receive() {
                        learned.add()
                        if try await learning?(number) == false {
                            return
                        }
                    }
                },
            ]
        }

        private func supervised(
            _ stage: Stage, _ inputs: [BoundedQueue<Int>], _ outputs: [BoundedQueue<Int>], _ executor: ComputeExecutor?,
            _ body: @escaping @Sendable () async throws -> Void
        ) -> SupervisedStage {
            SupervisedStage(
                stage,
                service: ClosureStage { [self] in
                    defer { ended.append(stage) }
                    try await body()
                }, inputs: inputs, outputs: outputs, executor: executor?.lane(for: stage))
        }

        func run(_ stages: [SupervisedStage]) async -> RunEnding {
            await StageSupervisor(stages: stages, logger: quietLogger).run(signals: signals.stream)
        }
    }

    @Test func aRunFinishesWhenTheSourceIsDry() async {
        for _ in 0..<50 {
            let pipeline = Pipeline()
            let ending = await pipeline.run(
                pipeline.stages(source: {
                    for number in 0..<20 {
                        try await pipeline.requests.send(number)
                    }
                }))
            #expect(ending.isFinished)
            #expect(pipeline.learned.value == 20)
            #expect(pipeline.ended.events == Stage.allCases)
        }
    }

    @Test func theFirstSignalDrains() async {
        for _ in 0..<50 {
            let pipeline = Pipeline()
            let ending = await pipeline.run(
                pipeline.stages(learning: { _ in
                    if pipeline.learned.value == 10 {
                        pipeline.signals.continuation.yield(.sigint)
                    }
                    return true
                }))
            #expect(ending.isInterrupted(drained: true))
            #expect(pipeline.learned.value == pipeline.sent.value)
            #expect(pipeline.learned.value >= 10)
            #expect(pipeline.ended.events == Stage.allCases)
        }
    }

    @Test func theSecondSignalCancels() async {
        let pipeline = Pipeline()
        let isHeld = AsyncStream.makeStream(of: Void.self)
        let ending = await pipeline.run(
            pipeline.stages(
                source: {
                    pipeline.signals.continuation.yield(.sigterm)
                    // Does not heed the first signal.
                    try await withGracefulShutdownHandler {
                        for await _ in isHeld.stream {}
                        try Task.checkCancellation()
                    } onGracefulShutdown: {
                        pipeline.signals.continuation.yield(.sigterm)
                    }
                }))
        #expect(ending.isInterrupted(drained: false))
        #expect(Set(pipeline.ended.events) == Set(Stage.allCases))
    }

    @Test(arguments: Stage.allCases)
    func aFailureEndsTheRunWithItsError(stage: Stage) async {
        for _ in 0..<20 {
            let pipeline = Pipeline()
            @Sendable func fail(_ here: Stage) throws {
                if here == stage, pipeline.learned.value >= (stage == .learning ? 3 : 0) {
                    throw Fault()
                }
            }
            let failingSource: @Sendable () async throws -> Void = {
                try await pipeline.requests.send(1)
                throw Fault()
            }
            let stages = pipeline.stages(
                source: stage == .problemSource ? failingSource : nil,
                rollout: { _ in try fail(.rollout) }, scoring: { _ in try fail(.scoring) },
                learning: { _ in
                    try fail(.learning)
                    return true
                })
            let ending = await pipeline.run(stages)
            #expect(ending.failedStage == stage)
            #expect(ending.error is Fault)
            #expect(Set(pipeline.ended.events) == Set(Stage.allCases))
            if stage == .problemSource {
                #expect(pipeline.learned.value == 1)
            }
        }
    }

    @Test func aLearnerThatHasEnoughEndsTheRun() async {
        for _ in 0..<50 {
            let pipeline = Pipeline()
            let ending = await pipeline.run(pipeline.stages(learning: { _ in pipeline.learned.value < 5 }))
            #expect(ending.isFinished)
            #expect(pipeline.learned.value == 5)
            #expect(Set(pipeline.ended.events) == Set(Stage.allCases))
        }
    }

    @Test func aSourceThatOnlyWaitsIsTold() async {
        let pipeline = Pipeline()
        let ending = await pipeline.run(
            pipeline.stages(
                source: {
                    try await pipeline.requests.send(1)
                    try await gracefulShutdown()
                }, scoring: { _ in throw Fault() }))
        #expect(ending.failedStage == .scoring)
    }

    @Test func cancellingTheRunCancelsTheStages() async {
        let pipeline = Pipeline()
        // However long the cancellation takes to come, nothing else ends the run.
        let run = Task { await pipeline.run(pipeline.stages()) }
        while pipeline.learned.value == 0 {
            await Task.yield()
        }
        run.cancel()
        #expect(await run.value.isInterrupted(drained: false))
        #expect(Set(pipeline.ended.events) == Set(Stage.allCases))
    }

    @Test func stagesRunOnTheirLanes() async {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        let pipeline = Pipeline()
        let ending = await pipeline.run(
            pipeline.stages(
                rollout: { _ in #expect(onComputeThread()) }, scoring: { _ in #expect(onComputeThread()) },
                learning: { _ in
                    #expect(onComputeThread())
                    return pipeline.learned.value < 50
                }, executor: executor))
        executor.shutdown()
        #expect(ending.isFinished)
        let report = executor.clock.report()
        for stage in Stage.allCases {
            #expect(report.busySeconds(stage) > 0)
        }
    }

    @Test func aRealSignalCounts() async {
        let pipeline = Pipeline()
        let signals = await UnixSignalsSequence(trapping: .sigusr1)
        let ending = await StageSupervisor(
            stages: pipeline.stages(learning: { _ in
                if pipeline.learned.value == 3 {
                    kill(getpid(), SIGUSR1)
                }
                return true
            }), logger: quietLogger
        ).run(signals: signals)
        #expect(ending.isInterrupted(drained: true))
        #expect(pipeline.learned.value == pipeline.sent.value)
    }

    @Test func noStagesAreFinishedAtOnce() async {
        #expect(
            await StageSupervisor(stages: [], logger: quietLogger).run(signals: AsyncStream<UnixSignal> { $0.finish() })
                .isFinished)
    }
}

private let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

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
