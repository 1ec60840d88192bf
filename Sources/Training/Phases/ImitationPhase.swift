import Learning
import Pipelines
import Trajectories

/// Supervised fine-tuning as a pipeline of two: batches of demonstrations are made ahead of the updates that consume them.
struct ImitationPhase: Sendable {
    typealias Source = @Sendable (_ position: Int) throws -> Demonstration
    typealias Observer = @Sendable (UpdateMetrics) async throws -> Void

    /// Batches that are made ahead.
    static let queueCapacity = 4

    var learner: Learner
    var executor: ComputeExecutor
    var batchSize: Int
    /// Updates still to make, counted from the start of the phase.
    var steps: Range<Int>
    var source: Source
    var observer: Observer

    /// Returns after the last update, or early when told to stop.
    ///
    /// - Parameter isStopping: asked between updates; the batches that are made by then are still learned.
    /// - Throws: `FailedImitation`, what the source and the observer throw, and `CancellationError`.
    func run(isStopping: @escaping @Sendable () -> Bool) async throws {
        let queue = BoundedQueue<[Demonstration]>(
            name: "demonstrations", capacity: Self.queueCapacity, producer: .problemSource, consumer: .learning,
            clock: executor.clock)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: executor.lane(for: .problemSource)) {
                defer { queue.close() }
                for step in steps where !isStopping() {
                    let demonstrations = try (step * batchSize..<(step + 1) * batchSize).map(source)
                    do {
                        try await queue.send(demonstrations)
                    } catch is QueueClosed {
                        return
                    }
                }
            }
            group.addTask(executorPreference: executor.lane(.learner)) {
                defer { queue.close() }
                while let demonstrations = try await queue.receive() {
                    do {
                        try await observer(try await learner.imitate(demonstrations))
                    } catch let error as NonFiniteUpdate {
                        throw FailedImitation(cause: error, demonstrations: demonstrations)
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// An update that came to no numbers, with the batch that it was to learn from.
struct FailedImitation: Error, CustomStringConvertible {
    var cause: NonFiniteUpdate
    var demonstrations: [Demonstration]

    var description: String { cause.description }
}
