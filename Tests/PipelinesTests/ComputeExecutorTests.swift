import Dispatch
import TestSupport
import Testing

@testable import Pipelines

@Suite(.timeLimit(.minutes(30))) struct ComputeExecutorTests {
    @Test func childTasksAndActorsRunOnComputeThreads() async {
        let executor = ComputeExecutor(threads: 3, pinned: false)
        defer { executor.shutdown() }
        let worker = CountingActor()
        await withTaskGroup(of: Bool.self) { group in
            for index in 0..<200 {
                group.addTask(executorPreference: executor.lane(Lane.allCases[index % 3])) {
                    var isCompute = onComputeThread()
                    isCompute = await worker.count() && isCompute
                    await Task.yield()
                    return await withTaskGroup { group in
                        group.addTask { onComputeThread() }
                        return await group.reduce(isCompute) { $0 && $1 } && onComputeThread()
                    }
                }
            }
            for await isCompute in group {
                #expect(isCompute)
            }
        }
        #expect(await worker.counted == 200)
        #expect(!onComputeThread())
    }

    /// A worker yields after every decode step; were the job to leave the lane for the global executor and come back from there,
    /// this executor would run out of jobs first.
    @Test func aYieldNeverLeavesTheLane() throws {
        for seed in 0..<50 {
            let executor = EmbeddedExecutor(seed: UInt64(seed))
            let worker = CountingActor()
            let count = try executor.run {
                await withTaskGroup { group in
                    for _ in 0..<3 {
                        group.addTask(executorPreference: executor) {
                            for _ in 0..<20 {
                                _ = await worker.count()
                                await Task.yield()
                            }
                        }
                    }
                }
                return await worker.counted
            }
            #expect(count == 60)
        }
    }

    @Test func runGivesBackTheResultAndTheError() async throws {
        struct Refusal: Error {}
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let name = await executor.lane(.scoring).run { onComputeThread() }
        #expect(name)
        await #expect(throws: Refusal.self) {
            try await executor.lane(.learner).run { throw Refusal() }
        }
    }

    @Test func higherLanesGoFirstAndALaneIsFirstInFirstOut() async {
        let executor = ComputeExecutor(threads: 1, pinned: false)
        defer { executor.shutdown() }
        let isHeld = DispatchSemaphore(value: 0)
        let release = DispatchSemaphore(value: 0)
        let order = Recorder<String>()
        let holder = Task(executorPreference: executor.lane(.rollout)) {
            isHeld.signal()
            release.wait()
        }
        await cooperatively { isHeld.wait() }
        // All of these are queued behind the one thread before it is let go.
        var tasks: [Task<Void, Never>] = []
        for number in 0..<4 {
            for lane in [Lane.rollout, .learner, .scoring] {
                tasks.append(
                    Task(executorPreference: executor.lane(lane)) {
                        order.append("\(lane) \(number)")
                    })
            }
        }
        release.signal()
        await holder.value
        for task in tasks {
            await task.value
        }
        let expected = Lane.allCases.flatMap { lane in (0..<4).map { "\(lane) \($0)" } }
        #expect(order.events == expected)
    }

    @Test func shutdownRunsWhatIsQueued() {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        let ran = Counter()
        for index in 0..<500 {
            Task(executorPreference: executor.lane(Lane.allCases[index % 3])) {
                ran.add()
                // The job that this makes is queued while the executor shuts down.
                await Task.yield()
                ran.add()
            }
        }
        executor.shutdown()
        #expect(ran.value == 1000)
        executor.shutdown()
    }

    @Test func anExecutorThatIsDroppedEndsItsThreads() async {
        let done = DispatchSemaphore(value: 0)
        do {
            let executor = ComputeExecutor(threads: 2, pinned: false)
            Task(executorPreference: executor.lane(.rollout)) { done.signal() }
        }
        await cooperatively { done.wait() }
    }

    @Test func pinnedThreadsStayOnTheCoresOfTheProcess() async {
        let cores = ProcessorCores.available
        #expect(!cores.isEmpty)
        #expect(cores == cores.sorted())
        let executor = ComputeExecutor(pinned: true)
        defer { executor.shutdown() }
        #expect(executor.threads == cores.count)
        let own = await executor.lane(.learner).run { PresentThread.cores }
        #expect(own.count == 1)
        #expect(Set(own).isSubset(of: cores))
    }

    /// A thread inherits the binding of the one that makes it; an executor's threads must not.
    @Test func anExecutorMadeOnAPinnedThreadHasAllCores() async {
        let cores = ProcessorCores.available
        let outer = ComputeExecutor(pinned: true)
        defer { outer.shutdown() }
        for isPinned in [true, false] {
            let inner = await outer.lane(.learner).run { ComputeExecutor(pinned: isPinned) }
            #expect(inner.threads == cores.count)
            var seen: Set<Int> = []
            await withTaskGroup(of: [Int].self) { group in
                for _ in 0..<64 * cores.count {
                    group.addTask(executorPreference: inner.lane(.learner)) { PresentThread.cores }
                }
                for await own in group {
                    seen.formUnion(own)
                    #expect(own.count == (isPinned ? 1 : cores.count))
                }
            }
            #expect(isPinned || seen == Set(cores))
            inner.shutdown()
        }
    }

    // Waits for a compute thread, on a thread of its own: the cooperative pool may have only one.
    private func cooperatively(_ wait: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                wait()
                continuation.resume()
            }
        }
    }
}
