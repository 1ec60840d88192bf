import Testing

@testable import Pipelines

@Suite(.timeLimit(.minutes(30))) struct ComputeExecutorShutdownTests {
    /// A task without a preference may come out of an actor on a compute thread, and go on there to shut the executor down.
    @Test(arguments: [1, 2, 3])
    func theCallerMayBeOnOneOfTheThreads(threads: Int) async {
        for _ in 0..<20 {
            let executor = ComputeExecutor(threads: threads, pinned: false)
            let counter = Counter()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask(executorPreference: executor.lane(.rollout)) { counter.add() }
                }
            }
            await executor.lane(.learner).run {
                #expect(isOnExecutorsThread())
                executor.shutdown()
                executor.shutdown()
            }
            #expect(counter.value == 8)
            #expect(executor.clock.report().wallSeconds == executor.clock.report().wallSeconds)
        }
    }
}
