import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

/// Runs the stages of a pipeline together, and ends them in order.
///
///     let supervisor = StageSupervisor(stages: [
///         SupervisedStage(.problemSource, service: source, outputs: [requests]),
///         SupervisedStage(.rollout, service: rollouts, inputs: [requests], outputs: [groups], executor: executor.lane(.rollout)),
///         …
///     ])
///     switch await supervisor.run() { … }
///
/// A stage that ends, whatever the reason, closes the queues around it: those after it drain, those before it get `QueueClosed`
/// from `send`, which counts as their end and not as a failure. When a stage ends before one in front of it, and on
/// the first signal, the run is shut down gracefully: stage by stage from the source on, each is told
/// (`withGracefulShutdownHandler`, `Task.isShuttingDownGracefully`) only once all before it have ended. A source must end
/// when told; for the others the end of their input is enough. The second signal cancels every stage.
public struct StageSupervisor: Sendable {
    /// Ends a run gracefully the first time, and cancels it the second.
    ///
    /// SIGHUP, which a terminal that goes away sends, is left alone where the process was started to ignore it, as `nohup` does.
    public static let signals: [UnixSignal] = [.sigint, .sigterm] + (ignoresHangup ? [] : [.sighup])

    private static var ignoresHangup: Bool {
        var action = sigaction()
        guard sigaction(SIGHUP, nil, &action) == 0 else { return false }
        #if canImport(Glibc)
            let handler = action.__sigaction_handler.sa_handler
        #else
            let handler = action.__sigaction_u.__sa_handler
        #endif
        // Function pointers cannot be compared. Each is one word, and neither is called.
        return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    private let stages: [SupervisedStage]
    private let logger: Logger

    /// - Parameter stages: in the order of the pipeline, the source first.
    public init(stages: [SupervisedStage], logger: Logger = Logger(label: "rlkd.pipelines")) {
        self.stages = stages
        self.logger = logger
    }

    /// Runs the stages until all have ended, with `signals` trapped meanwhile. Cancelling the task cancels the stages.
    public func run() async -> RunEnding {
        await run(signals: UnixSignalsSequence(trapping: Self.signals))
    }

    /// Runs the stages until all have ended.
    ///
    /// - Parameter signals: each element counts as one signal, whichever it is.
    public func run<Signals: AsyncSequence & Sendable>(signals: Signals) async -> RunEnding
    where Signals.Failure == Never, Signals.Element: Sendable {
        guard !stages.isEmpty else { return .finished }
        let progress = RunProgress(stages: stages.count)
        let (requests, request) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(1))
        // The group shuts its services down from the last to the first, so the source comes last.
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: stages.indices.reversed().map { index in
                    ServiceGroupConfiguration.ServiceConfiguration(
                        service: StageRunner(
                            stage: stages[index], index: index, progress: progress, shutdown: request, logger: logger),
                        successTerminationBehavior: .ignore,
                        failureTerminationBehavior: .ignore,
                        serviceName: stages[index].stage.name)
                },
                logger: logger))
        await withTaskGroup(of: Event.self) { tasks in
            tasks.addTask {
                do {
                    try await group.run()
                } catch {
                    progress.fail(error)
                }
                return .ended
            }
            tasks.addTask {
                for await _ in requests {
                    await group.triggerGracefulShutdown()
                }
                return .quiet
            }
            tasks.addTask {
                for await signal in signals {
                    if progress.interrupt() {
                        logger.info("shutting down; a second signal cancels", metadata: ["signal": "\(signal)"])
                        request.yield()
                    } else {
                        logger.info("cancelling", metadata: ["signal": "\(signal)"])
                        return .cancelled
                    }
                }
                return .quiet
            }
            while let event = await tasks.next() {
                switch event {
                case .quiet: break
                case .cancelled, .ended: tasks.cancelAll()
                }
            }
        }
        return progress.ending(of: stages)
    }

    private enum Event {
        /// Every service has ended.
        case ended
        /// The stages must stop at once.
        case cancelled
        case quiet
    }
}
