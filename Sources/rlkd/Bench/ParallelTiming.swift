import Pipelines
import Training

/// Times work that all threads of an executor do at once.
enum ParallelTiming {
    private static let rounds = 10
    private static let roundSeconds = 0.005

    /// Repetitions of `body` a second of all threads together: the best of some short rounds, since other loads disturb. A
    /// thread's rate goes by its own clock.
    static func repetitionsPerSecond(
        on executor: ComputeExecutor, _ body: @escaping @Sendable (_ thread: Int) -> Void
    ) async -> Double {
        let slow = await best(of: 2, on: executor) { thread in rate(1, of: body, thread) }
        let repetitions = max(1, Int(roundSeconds * slow / Double(executor.threads)))
        return await best(of: rounds, on: executor) { thread in rate(repetitions, of: body, thread) }
    }

    /// The largest sum of the threads' rates in any round.
    static func best(
        of rounds: Int, on executor: ComputeExecutor, _ rate: @escaping @Sendable (_ thread: Int) -> Double
    ) async -> Double {
        var best = 0.0
        for _ in 0..<rounds {
            let total = await withTaskGroup(of: Double.self) { group in
                for thread in 0..<executor.threads {
                    group.addTask(executorPreference: executor.lane(.learner)) { rate(thread) }
                }
                return await group.reduce(0, +)
            }
            best = max(best, total)
        }
        return best
    }

    private static func rate(_ repetitions: Int, of body: (_ thread: Int) -> Void, _ thread: Int) -> Double {
        let elapsed = ContinuousClock().measure {
            for _ in 0..<repetitions { body(thread) }
        }
        return Double(repetitions) / max(elapsed.seconds, 1e-9)
    }
}
