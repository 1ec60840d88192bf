import Pipelines
import ServiceLifecycle
import Trajectories

/// The learning stage: scored groups in, one published version a batch out.
///
/// Batch `b` is the groups with ordinals b · size ..< (b + 1) · size, whatever order they come in: what an update sees does
/// not depend on which worker was faster. Groups that come early wait here; the problem source admits no more of them than
/// `maxStaleness` batches, so that their number is bounded.
public struct LearningStage: Service {
    /// Told of every update, before the next begins.
    public typealias Observer = @Sendable (UpdateMetrics, [ScoredGroup]) async throws -> Void

    private let learner: Learner
    private let lane: any TaskExecutor
    private let input: BoundedQueue<ScoredGroup>
    private let groupsPerBatch: Int
    private let firstBatch: Int
    private let batches: Int
    private let maxStaleness: Int
    private let observer: Observer

    /// - Parameters:
    ///   - firstBatch: updates made before this run began.
    ///   - batches: updates in all, those before included.
    public init(
        learner: Learner, lane: any TaskExecutor, input: BoundedQueue<ScoredGroup>, groupsPerBatch: Int,
        firstBatch: Int, batches: Int, maxStaleness: Int, observer: @escaping Observer
    ) {
        self.learner = learner
        self.lane = lane
        self.input = input
        self.groupsPerBatch = groupsPerBatch
        self.firstBatch = firstBatch
        self.batches = batches
        self.maxStaleness = maxStaleness
        self.observer = observer
    }

    public func run() async throws {
        try await withTaskExecutorPreference(lane) {
            var early: [Int: ScoredGroup] = [:]
            for batch in firstBatch..<max(firstBatch, batches) {
                let ordinals = batch * groupsPerBatch..<(batch + 1) * groupsPerBatch
                while !ordinals.allSatisfy({ early[$0] != nil }) {
                    guard let group = try await input.receive() else { return }
                    early[group.request.ordinal] = group
                }
                let groups = ordinals.compactMap { early.removeValue(forKey: $0) }
                try await checkStaleness(groups)
                do {
                    try await observer(try await learner.learn(from: groups), groups)
                } catch let error as NonFiniteUpdate {
                    throw FailedUpdate(cause: error, groups: groups)
                }
            }
        }
    }

    /// The bound holds by construction; a rollout beyond it means that the schedule is broken.
    private func checkStaleness(_ groups: [ScoredGroup]) async throws {
        let version = await learner.version
        for group in groups {
            for scored in group.rollouts {
                let oldest = scored.rollout.oldestVersion ?? version
                guard version.rawValue - oldest.rawValue <= maxStaleness else {
                    throw StaleRollout(
                        problem: group.request.problem.id, staleness: version.rawValue - oldest.rawValue,
                        maxStaleness: maxStaleness)
                }
            }
        }
    }
}

/// An update that could not be made, with the batch that it was to learn from.
public struct FailedUpdate: Error, CustomStringConvertible {
    public var cause: NonFiniteUpdate
    public var groups: [ScoredGroup]

    public var description: String { cause.description }
}

public struct StaleRollout: Error, CustomStringConvertible {
    public var problem: String
    public var staleness: Int
    public var maxStaleness: Int

    public var description: String {
        "a rollout of problem \(problem) is \(staleness) versions old; the bound is \(maxStaleness)"
    }
}
