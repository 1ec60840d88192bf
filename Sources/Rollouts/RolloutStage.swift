import Models
import Pipelines
import ServiceLifecycle
import Trajectories

/// The generation stage: requests in, groups of rollouts out.
///
/// Its workers share the lane's threads and the store's weights. When the requests are drained, so is the stage: it closes
/// its output and returns.
public struct RolloutStage: Service {
    private let workers: [RolloutWorker]
    private let lane: any TaskExecutor
    private let output: BoundedQueue<RolloutGroup>

    /// - Parameters:
    ///   - text: what a completion's tokens say.
    ///   - prompt: a request's prompt in tokens; what it throws makes the problem unservable.
    ///   - clock: where work that is thrown away is counted.
    public init(
        configuration: RolloutConfiguration, store: PolicyStore, lane: any TaskExecutor, clock: StallClock? = nil,
        text: @escaping @Sendable ([Int32]) throws -> String,
        prompt: @escaping @Sendable (RolloutRequest) throws -> [Int32],
        requests: BoundedQueue<RolloutRequest>, output: BoundedQueue<RolloutGroup>
    ) {
        self.lane = lane
        self.output = output
        workers = (0..<max(1, configuration.workers)).map { _ in
            RolloutWorker(
                configuration: configuration, store: store, clock: clock, text: text, prompt: prompt,
                requests: requests, output: output)
        }
    }

    public func run() async throws {
        defer { output.close() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in workers {
                group.addTask(executorPreference: lane) {
                    try await worker.run()
                }
            }
            // Unlike `waitForAll`, this cancels the other workers when one throws: they may wait for what never comes.
            for try await _ in group {}
        }
    }
}
