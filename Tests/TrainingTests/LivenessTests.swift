import Testing

@testable import Training

/// The proof at `ReinforcementPhase`, checked on all interleavings of small pipelines.
@Suite(.timeLimit(.minutes(30))) struct LivenessTests {
    private func batches(_ groupsPerBatch: Int, _ maxStaleness: Int) -> Int {
        // Enough that the gate has closed and opened again; fewer where the states are many.
        groupsPerBatch == 3 ? min(3, maxStaleness + 2) : maxStaleness + 2
    }

    @Test(arguments: 1...3, 1...3) func noInterleavingStopsOrPassesTheBound(groupsPerBatch: Int, capacity: Int) {
        for maxStaleness in 0...3 {
            let model = PipelineModel(
                groupsPerBatch: groupsPerBatch, capacity: capacity, maxStaleness: maxStaleness,
                batches: batches(groupsPerBatch, maxStaleness))
            guard case .live(let states) = model.explore() else {
                Issue.record("staleness \(maxStaleness): \(model.explore())")
                continue
            }
            #expect(states > 5)
        }
    }

    /// Queues that hold more than their capacity, as after resuming, and groups that are found nowhere.
    @Test(arguments: 1...2) func aResumedPipelineIsLiveToo(capacity: Int) {
        let model = PipelineModel(groupsPerBatch: 2, capacity: capacity, maxStaleness: 2, batches: 4)
        var state = PipelineModel.State()
        state.version = 1
        state.next = 2
        // Of the groups 2 to 7 that may wait at version 1, some in each place, all begun under version 0 or 1.
        for places in 0..<729 {
            var first = state
            var restored: Set<Int> = []
            for (index, ordinal) in (2...7).enumerated() {
                let group = UInt16(ordinal) * 16 + (ordinal < 6 ? 0 : 1)
                let place = (0..<index).reduce(places) { rest, _ in rest / 3 } % 3
                if place > 0 { restored.insert(ordinal) }
                if place == 1 { first.rollouts.append(group) }
                if place == 2 { first.scored.append(group) }
            }
            guard places % 7 == 0 else { continue }
            guard case .live = model.explore(from: first, restored: restored) else {
                Issue.record("\(first)")
                return
            }
        }
    }

    @Test func aBrokenGateIsFound() {
        for maxStaleness in 0...3 {
            func verdict(_ gate: @escaping @Sendable (Int) -> Int) -> PipelineModel.Verdict {
                PipelineModel(
                    groupsPerBatch: 2, capacity: 1, maxStaleness: maxStaleness, batches: maxStaleness + 3, gate: gate
                ).explore()
            }
            // Waits for the update that consumes the group: the source stands before the first.
            guard case .deadlock(let state) = verdict({ $0 / 2 + 1 }) else {
                Issue.record("no deadlock")
                return
            }
            #expect(state == PipelineModel.State())
            // Lets a batch in one version too early.
            guard case .stale(let state) = verdict({ $0 / 2 - maxStaleness - 1 }) else {
                Issue.record("no stale group")
                return
            }
            #expect(state.version > maxStaleness)
        }
    }

    /// The learner must take whatever comes: with room for one early group, two that overtake the first stop the pipeline.
    @Test func aLearnerThatRefusesEarlyGroupsIsFound() {
        var model = PipelineModel(groupsPerBatch: 1, capacity: 1, maxStaleness: 3, batches: 5)
        model.earlyLimit = 0
        guard case .deadlock(let state) = model.explore() else {
            Issue.record("no deadlock")
            return
        }
        #expect(!state.scored.isEmpty)
    }
}
