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
    private let waiting: WaitingGroups
    private let clock: StallClock?
    private let observer: Observer

    /// - Parameters:
    ///   - clock: where work that is thrown away is counted.
    ///   - firstBatch: updates made before this run began.
    ///   - batches: updates in all, those before included.
    ///   - waiting: where groups wait for their batch; what the stage leaves there when it ends, no update has consumed.
    public init(
        learner: Learner, lane: any TaskExecutor, clock: StallClock? = nil, input: BoundedQueue<ScoredGroup>,
        waiting: WaitingGroups = WaitingGroups(), groupsPerBatch: Int, firstBatch: Int, batches: Int, maxStaleness: Int,
        observer: @escaping Observer
    ) {
        self.learner = learner
        self.lane = lane
        self.input = input
        self.groupsPerBatch = groupsPerBatch
        self.firstBatch = firstBatch
        self.batches = batches
        self.maxStaleness = maxStaleness
        self.waiting = waiting
        self.clock = clock
        self.observer = observer
    }

    public func run() async throws {
        try await withTaskExecutorPreference(lane) {
            for index in firstBatch..<max(firstBatch, batches) {
                let ordinals = index * groupsPerBatch..<(index + 1) * groupsPerBatch
                guard let groups = try await batch(ordinals) else { return }
                try await checkStaleness(groups)
                let update = try await update(groups, ordinals)
                try await observer(update, groups)
            }
        }
    }

    /// Nil when the input ends before the batch is whole.
    private func batch(_ ordinals: Range<Int>) async throws -> [ScoredGroup]? {
        while true {
            if let groups = waiting.batch(ordinals) { return groups }
            guard let group = try await input.receive() else { return nil }
            waiting.add(group)
        }
    }

    /// The groups wait until the update is made: one that is cancelled leaves them where they are.
    private func update(_ groups: [ScoredGroup], _ ordinals: Range<Int>) async throws -> UpdateMetrics {
        do {
            let update = try await learner.learn(from: groups)
            waiting.remove(ordinals)
            return update
        } catch let error as NonFiniteUpdate {
            waiting.remove(ordinals)
            let rollouts = groups.flatMap(\.rollouts)
            clock?.discard(
                DiscardedWork(
                    groups: groups.count, rollouts: rollouts.count,
                    tokens: rollouts.reduce(0) { $0 + $1.rollout.tokens.count }),
                stage: .learning, cause: .failedUpdate)
            throw FailedUpdate(cause: error, groups: groups)
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

/// An update that came to no numbers, with the batch that it was to learn from.
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
