import Dispatch
import TestSupport
import Testing

@testable import Pipelines

/// What a thread waits for without sleeping is neither the phase that it waits in nor idle.
@Suite(.timeLimit(.minutes(30))) struct SynchronizeTests {
    private static let decode = WorkerClock.code(.rollout, .decode)
    private static let synchronize = WorkerClock.code(.rollout, .synchronize)

    /// Whether the condition came true, within far more of this thread's time than it needs.
    private static func comesTrue(_ condition: () -> Bool) -> Bool {
        let patience = Patience()
        while !condition() {
            guard !patience.isOver else { return false }
        }
        return true
    }

    /// Runs a job that decodes through `program`, on one of two threads; both take part.
    private static func decode(
        _ executor: ComputeExecutor, _ stages: @escaping @Sendable (_ member: inout TeamMember, _ caller: Int) -> Void
    ) async {
        await executor.lane(.rollout).run {
            StallClock.phase(.decode) {
                let caller = ComputeThread.withCurrentCore { _, index in index } ?? 0
                TeamProgram { stages(&$0, caller) }.run(places: 2)
            }
        }
    }

    /// Counters of one worker at a moment, and a microsecond later; of a worker that stays in its state meanwhile.
    private static func progress(_ worker: WorkerClock) -> [UInt64] {
        var now = [UInt64](repeating: 0, count: WorkerClock.busyCodes + 1)
        var later = now
        let time = MonotonicTime.now()
        worker.read(at: time, into: &now)
        worker.read(at: time + 1000, into: &later)
        return zip(later, now).map { $0 - $1 }
    }

    private static var waitsAlone: [UInt64] {
        (0...WorkerClock.busyCodes).map { $0 == synchronize ? 1000 : 0 }
    }

    @Test func aMemberThatWaitsForAStageIsChargedForWaiting() async {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        let clock = executor.clock
        let arrived = Counter()
        let codes = Recorder<Int?>()
        await Self.decode(executor) { member, _ in
            let index = member.index
            member.perform(2) { tile in
                arrived.add()
                #expect(Self.comesTrue { arrived.value == 2 })
                guard tile == 0 else { return }
                // The other member's next tile is of the second stage.
                let other = clock.worker(1 - index)
                #expect(Self.comesTrue { other.code == Self.synchronize })
                #expect(Self.progress(other) == Self.waitsAlone)
            }
            member.perform(2) { _ in codes.append(WorkerClock.current?.code) }
        }
        executor.shutdown()
        // The phase goes on after the wait.
        #expect(codes.events == [Self.decode, Self.decode])
        #expect(clock.report().unexplained < 1e-6)
    }

    @Test func aCallerThatWaitsForItsHelpersIsChargedForWaiting() async {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        let clock = executor.clock
        let arrived = Counter()
        await Self.decode(executor) { member, caller in
            let isCaller = member.index == caller
            member.perform(2) { _ in
                arrived.add()
                #expect(Self.comesTrue { arrived.value == 2 })
                guard !isCaller else { return }
                #expect(Self.comesTrue { clock.worker(caller).code == Self.synchronize })
                #expect(Self.progress(clock.worker(caller)) == Self.waitsAlone)
            }
        }
        executor.shutdown()
        #expect(clock.report().unexplained < 1e-6)
    }

    /// What a caller has waited it can tell apart from what it computed.
    @Test func aThreadKnowsWhatItHasBeenChargedFor() async {
        #expect(StallClock.nanoseconds(.synchronize) == 0)
        let executor = ComputeExecutor(threads: 2, pinned: false)
        let clock = executor.clock
        let arrived = Counter()
        let charges = Recorder<UInt64>()
        await executor.lane(.rollout).run {
            StallClock.phase(.decode) {
                let caller = ComputeThread.withCurrentCore { _, index in index } ?? 0
                TeamProgram { member in
                    let isCaller = member.index == caller
                    member.perform(2) { _ in
                        arrived.add()
                        #expect(Self.comesTrue { arrived.value == 2 })
                        guard !isCaller else { return }
                        #expect(Self.comesTrue { clock.worker(caller).code == Self.synchronize })
                    }
                }.run(places: 2)
            }
            charges.append(StallClock.nanoseconds(.decode))
            charges.append(StallClock.nanoseconds(.synchronize))
        }
        executor.shutdown()
        let report = clock.report()
        #expect(charges.events.allSatisfy { $0 > 0 })
        // The helper's come on top.
        #expect(Double(charges.events[0]) <= 1e9 * report.busySeconds(.rollout, .decode) + 1)
        #expect(Double(charges.events[1]) <= 1e9 * report.busySeconds(.rollout, .synchronize) + 1)
    }

    @Test func aHelperThatLooksOutForMoreIsChargedForItBeforeItSleeps() async {
        let trace = TraceRecorder(threads: 2)
        let executor = ComputeExecutor(threads: 2, pinned: false, trace: trace)
        let clock = executor.clock
        let arrived = Counter()
        let helper = Recorder<Int>()
        // In a program of one stage no helper waits for another member.
        await Self.decode(executor) { member, caller in
            let index = member.index
            member.perform(2) { _ in
                arrived.add()
                #expect(Self.comesTrue { arrived.value == 2 })
                if index != caller { helper.append(index) }
            }
        }
        let index = helper.events[0]
        #expect(Self.comesTrue { clock.worker(index).code == WorkerClock.idleCode })
        // A state is there before the span that it ends is recorded; when the threads are gone, all are.
        executor.shutdown()
        #expect(
            (trace.ring(index).phases() + trace.ring(index).waits()).map(\.code) == [Self.decode, Self.synchronize])
        #expect(clock.report().unexplained < 1e-6)
    }

    @Test func whoeverHasNobodyToWaitForIsNotCharged() async {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        let release = DispatchSemaphore(value: 0)
        let held = Flag()
        let holder = Task(executorPreference: executor.lane(.learner)) {
            held.raise()
            release.wait()
        }
        while !held.isRaised { await Task.yield() }
        await Self.decode(executor) { member, _ in
            for _ in 0..<40 { member.perform(3) { _ in } }
        }
        release.signal()
        await holder.value
        executor.shutdown()
        let report = executor.clock.report()
        #expect(report.busySeconds(.rollout, .synchronize) == 0)
        #expect(report.busySeconds(.rollout, .decode) > 0)
    }
}
