import Logging
import ServiceLifecycle

/// The service that the group sees for a stage: runs the stage, closes its queues, and then stays until its turn to end has come.
///
/// A group that shuts down takes a service that ends out of turn for a fault and cancels the rest, but stages drain each other
/// and may end in any order. So this one returns only when told to shut down. Errors go to the progress, not to the group.
struct StageRunner: Service {
    let stage: SupervisedStage
    let index: Int
    let progress: RunProgress
    /// Asks for the graceful shutdown of the whole group.
    let shutdown: AsyncStream<Void>.Continuation
    let logger: Logger

    func run() async throws {
        let metadata: Logger.Metadata = ["stage": "\(stage.stage.name)"]
        logger.debug("stage started", metadata: metadata)
        var failure: (any Error)?
        do {
            let service = stage.service
            try await withTaskExecutorPreference(stage.executor) {
                try await service.run()
            }
            logger.debug("stage ended", metadata: metadata)
        } catch {
            failure = error
            logger.debug("stage threw", metadata: metadata.merging(["error": "\(error)"]) { $1 })
        }
        let isLast = progress.end(index, failure, isCancelled: Task.isCancelled)
        for queue in stage.outputs + stage.inputs {
            queue.close()
        }
        if isLast {
            shutdown.yield()
        }
        // Cancellation ends the wait just as well.
        try? await gracefulShutdown()
    }
}
