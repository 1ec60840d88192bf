import Pipelines
import ServiceLifecycle
import Trajectories

/// The first stage: sends requests in order, each as soon as its gate lets it pass.
///
/// It ends after the last request, and when the run is shut down.
public struct ProblemSource: Service {
    /// Returns when the group at that position may enter the pipeline; the bound on staleness is kept here.
    public typealias Gate = @Sendable (_ ordinal: Int) async throws -> Void
    public typealias Request = @Sendable (_ ordinal: Int) -> RolloutRequest

    private let ordinals: any Sequence<Int> & Sendable
    private let request: Request
    private let gate: Gate
    private let output: BoundedQueue<RolloutRequest>

    /// - Parameter ordinals: the groups to ask for, ascending.
    public init(
        ordinals: any Sequence<Int> & Sendable, output: BoundedQueue<RolloutRequest>, gate: @escaping Gate,
        request: @escaping Request
    ) {
        self.ordinals = ordinals
        self.output = output
        self.gate = gate
        self.request = request
    }

    public func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                for ordinal in ordinals {
                    try await gate(ordinal)
                    try await output.send(request(ordinal))
                }
            }
        } catch is CancellationError where Task.isShuttingDownGracefully {
            // Told to stop: what was sent is worked off by the stages behind.
        }
        output.close()
    }
}
