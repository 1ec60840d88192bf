import Pipelines

/// Times work that all threads of an executor do at once.
enum ParallelTiming {
    /// Seconds until every thread has done `body` once.
    static func seconds(on executor: ComputeExecutor, _ body: @escaping @Sendable (_ thread: Int) -> Void) async -> Double {
        let elapsed = await ContinuousClock().measure {
            await withTaskGroup(of: Void.self) { group in
                for thread in 0..<executor.threads {
                    group.addTask(executorPreference: executor.lane(.learner)) { body(thread) }
                }
            }
        }
        return elapsed.seconds
    }

    /// Seconds a repetition of `body` takes when every thread repeats it: the best of some trials, each long enough for the
    /// clock, since other loads disturb.
    static func secondsPerRepetition(
        on executor: ComputeExecutor, trialSeconds: Double = 0.02, trials: Int = 5,
        _ body: @escaping @Sendable (_ thread: Int) -> Void
    ) async -> Double {
        _ = await seconds(on: executor, body)
        let once = await seconds(on: executor, body)
        let repetitions = max(1, Int(trialSeconds / max(once, 1e-7)))
        var best = Double.infinity
        for _ in 0..<trials {
            let time = await seconds(on: executor) { thread in
                for _ in 0..<repetitions { body(thread) }
            }
            best = min(best, time / Double(repetitions))
        }
        return best
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
