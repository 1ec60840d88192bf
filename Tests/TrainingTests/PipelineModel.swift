import Trajectories

@testable import Training

/// The gate, the queues and the learner of a reinforcement arm as a pure value: what may happen next in a state, and nothing of
/// how. Small sizes are explored to the last interleaving.
struct PipelineModel: Sendable {
    var groupsPerBatch: Int
    var capacity: Int
    var maxStaleness: Int
    var batches: Int
    /// Groups that the rollout stage samples at once; they end in any order.
    var workers = 2
    var scorers = 1
    /// Groups that the learner takes in before their turn; nil for no limit, as it is.
    var earlyLimit: Int?
    /// The version that must be published before a group enters.
    var gate: @Sendable (_ ordinal: Int) -> Int

    /// A group, and the version under which it was begun, packed as ordinal × 16 + version.
    typealias Group = UInt16

    struct State: Hashable {
        var next = 0
        var version = 0
        var requests: [UInt16] = []
        var sampling: [Group] = []
        var rollouts: [Group] = []
        var scoring: [Group] = []
        var scored: [Group] = []
        /// With the learner.
        var early: [Group] = []
    }

    enum Verdict: Equatable {
        case live(states: Int)
        /// Nothing can happen, and updates are missing.
        case deadlock(State)
        /// An update would consume a group that is too old.
        case stale(State)
    }

    init(
        groupsPerBatch: Int, capacity: Int, maxStaleness: Int, batches: Int,
        gate: (@Sendable (_ ordinal: Int) -> Int)? = nil
    ) {
        self.groupsPerBatch = groupsPerBatch
        self.capacity = capacity
        self.maxStaleness = maxStaleness
        self.batches = batches
        self.gate =
            gate ?? {
                ReinforcementPhase.requiredVersion(
                    ordinal: $0, groupsPerBatch: groupsPerBatch, maxStaleness: maxStaleness
                ).rawValue
            }
    }

    /// Visits every state that can be reached.
    ///
    /// - Parameter first: where it begins; the queues of a resumed run are not empty.
    func explore(from first: State = State(), restored: Set<Int> = []) -> Verdict {
        var seen: Set<State> = [first]
        var open = [first]
        var following: [State] = []
        while let state = open.popLast() {
            following.removeAll(keepingCapacity: true)
            if let stale = append(after: state, restored, to: &following) { return .stale(stale) }
            if following.isEmpty, state.version < batches { return .deadlock(state) }
            for next in following where seen.insert(next).inserted { open.append(next) }
        }
        return .live(states: seen.count)
    }

    private func append(after state: State, _ restored: Set<Int>, to following: inout [State]) -> State? {
        func then(_ change: (inout State) -> Void) {
            var next = state
            change(&next)
            following.append(next)
        }
        if state.next < groupsPerBatch * batches {
            if restored.contains(state.next) {
                then { $0.next += 1 }
            } else if state.requests.count < capacity, state.version >= gate(state.next) {
                then {
                    $0.requests.append(UInt16($0.next))
                    $0.next += 1
                }
            }
        }
        if let ordinal = state.requests.first, state.sampling.count < workers {
            then {
                $0.requests.removeFirst()
                $0.sampling.append(ordinal * 16 + UInt16($0.version))
                $0.sampling.sort()
            }
        }
        if state.rollouts.count < capacity {
            for index in state.sampling.indices {
                then { $0.rollouts.append($0.sampling.remove(at: index)) }
            }
        }
        if let group = state.rollouts.first, state.scoring.count < scorers {
            then {
                $0.rollouts.removeFirst()
                $0.scoring.append(group)
                $0.scoring.sort()
            }
        }
        if state.scored.count < capacity {
            for index in state.scoring.indices {
                then { $0.scored.append($0.scoring.remove(at: index)) }
            }
        }
        let due = state.version * groupsPerBatch..<(state.version + 1) * groupsPerBatch
        if let group = state.scored.first, state.version < batches {
            let isEarly = !due.contains(Int(group / 16))
            let early = state.early.count { !due.contains(Int($0 / 16)) }
            if !isEarly || early < earlyLimit ?? .max {
                then {
                    $0.scored.removeFirst()
                    $0.early.append(group)
                    $0.early.sort()
                }
            }
        }
        let batch = state.early.prefix { due.contains(Int($0 / 16)) }
        if batch.count == groupsPerBatch, state.version < batches {
            if batch.contains(where: { state.version - Int($0 % 16) > maxStaleness }) { return state }
            then {
                $0.early.removeFirst(groupsPerBatch)
                $0.version += 1
            }
        }
        return nil
    }
}
