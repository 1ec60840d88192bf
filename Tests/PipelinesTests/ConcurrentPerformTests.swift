import Dispatch
import Memory
import Testing

@testable import Pipelines

@Suite(.timeLimit(.minutes(30))) struct ConcurrentPerformTests {
    @Test func everyTileRunsOnce() {
        let executor = ComputeExecutor(threads: 4, pinned: false)
        defer { executor.shutdown() }
        for tiles in [-1, 0, 1, 2, 3, 17, 256] {
            let counts = (0..<max(1, tiles)).map { _ in Counter() }
            for _ in 0..<20 {
                executor.concurrentPerform(tiles: tiles, lane: .learner) { counts[$0].add() }
            }
            #expect(counts.prefix(max(0, tiles)).allSatisfy { $0.value == 20 })
        }
    }

    @Test func idleThreadsHelp() {
        let executor = ComputeExecutor(threads: 3, pinned: false)
        defer { executor.shutdown() }
        let arrived = Counter()
        // No tile ends before four have begun: the caller's and one on each thread.
        executor.concurrentPerform(tiles: 4, lane: .rollout) { _ in
            arrived.add()
            while arrived.value < 4 {}
        }
        #expect(arrived.value == 4)
    }

    @Test func theCallerCanFinishAlone() async {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let release = DispatchSemaphore(value: 0)
        let holder = Task(executorPreference: executor.lane(.learner)) { release.wait() }
        let sum = await executor.lane(.rollout).run {
            let sum = Counter()
            executor.concurrentPerform(tiles: 50, lane: .rollout) { _ in sum.add() }
            return sum.value
        }
        #expect(sum == 50)
        release.signal()
        await holder.value
    }

    @Test func loopsNestAndRunFromEveryThreadAtOnce() async {
        let executor = ComputeExecutor(threads: 4, pinned: false)
        defer { executor.shutdown() }
        let total = await withTaskGroup(of: Int.self) { group in
            for index in 0..<40 {
                group.addTask(executorPreference: executor.lane(Lane.allCases[index % 3])) {
                    let sum = Counter()
                    ComputeExecutor.concurrentPerform(tiles: 5) { _ in
                        ComputeExecutor.concurrentPerform(tiles: 4) { _ in
                            ComputeExecutor.concurrentPerform(tiles: 3) { _ in sum.add() }
                        }
                    }
                    return sum.value
                }
            }
            return await group.reduce(0, +)
        }
        #expect(total == 40 * 60)
    }

    @Test func elsewhereALoopIsPlain() {
        var order: [Int] = []
        ComputeExecutor.concurrentPerform(tiles: 5) { order.append($0) }
        #expect(order == [0, 1, 2, 3, 4])
    }

    @Test func aHelperGoesBackToAHigherLane() {
        let executor = ComputeExecutor(threads: 1, pinned: false)
        defer { executor.shutdown() }
        let order = Recorder<String>()
        let learned = Flag()
        executor.concurrentPerform(tiles: 100, lane: .rollout) { _ in
            guard isOnExecutorsThread() else {
                // The caller stays in its first tile until the learner job has run: all other tiles are the helper's till then.
                while !learned.isRaised {}
                return
            }
            if order.append("tile") == 1 {
                Task(executorPreference: executor.lane(.learner)) {
                    order.append("learner")
                    learned.raise()
                }
            }
        }
        #expect(order.events.prefix(2) == ["tile", "learner"])
    }

    /// A closure that leaves its caller's frame costs two boxes of 80 bytes together a loop; tiles cost nothing.
    @Test(arguments: [8, 2000])
    func aLoopAllocatesTwoBoxesWhateverItsTiles(tiles: Int) async {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let bytes = await executor.lane(.learner).run {
            let sum = Counter()
            executor.concurrentPerform(tiles: tiles, lane: .learner) { _ in sum.add() }
            _ = Allocator.threadAllocatedBytes()
            let before = Allocator.threadAllocatedBytes()
            for _ in 0..<100 {
                executor.concurrentPerform(tiles: tiles, lane: .learner) { _ in sum.add() }
            }
            return Allocator.threadAllocatedBytes() - before
        }
        #expect(bytes <= 100 * 80)
    }

    @Test func helpersTimeIsChargedToTheCallersPhase() async {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        await executor.lane(.rollout).run {
            StallClock.phase(.prefill) {
                let arrived = Counter()
                ComputeExecutor.concurrentPerform(tiles: 2) { _ in
                    arrived.add()
                    while arrived.value < 2 {}
                    let end = MonotonicTime.now() + 5_000_000
                    while MonotonicTime.now() < end {}
                }
            }
        }
        executor.shutdown()
        let report = executor.clock.report()
        #expect(report.busySeconds(.rollout, .prefill) >= 0.01)
        #expect(report.unexplained < 1e-6)
    }
}
