import Pipelines
import Training

/// Times work that all threads of an executor do at once, beside what they could do at most.
enum ParallelTiming {
    private static let rounds = 10
    private static let roundSeconds = 0.005

    /// Short rounds of `body`; a thread's rate goes by its own clock. Each thread measures its peak just before and just after, of
    /// which the larger counts: clock frequency and other loads change from one moment to the next, so that only then the two can
    /// be compared.
    static func rounds(
        on executor: ComputeExecutor, peak: @escaping @Sendable (_ thread: Int) -> Double,
        body: @escaping @Sendable (_ thread: Int) -> Void
    ) async -> [TimedRound] {
        let slow = await best(of: 2, on: executor) { thread in rate(1, of: body, thread) }
        let repetitions = max(1, Int(roundSeconds * slow / Double(executor.threads)))
        var rounds: [TimedRound] = []
        for _ in 0..<Self.rounds {
            rounds.append(
                await together(on: executor) { thread in
                    let before = peak(thread)
                    let rate = rate(repetitions, of: body, thread)
                    return TimedRound(rate: rate, peak: max(before, peak(thread)))
                }.reduce(TimedRound(rate: 0, peak: 0), +))
        }
        return rounds
    }

    /// The largest sum of the threads' rates in any round.
    static func best(
        of rounds: Int, on executor: ComputeExecutor, _ rate: @escaping @Sendable (_ thread: Int) -> Double
    ) async -> Double {
        var best = 0.0
        for _ in 0..<rounds { best = max(best, await together(on: executor, rate).reduce(0, +)) }
        return best
    }

    private static func together<Result: Sendable>(
        on executor: ComputeExecutor, _ work: @escaping @Sendable (_ thread: Int) -> Result
    ) async -> [Result] {
        await withTaskGroup(of: Result.self) { group in
            for thread in 0..<executor.threads {
                group.addTask(executorPreference: executor.lane(.learner)) { work(thread) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    private static func rate(_ repetitions: Int, of body: (_ thread: Int) -> Void, _ thread: Int) -> Double {
        let elapsed = ContinuousClock().measure {
            for _ in 0..<repetitions { body(thread) }
        }
        return Double(repetitions) / max(elapsed.seconds, 1e-9)
    }
}

/// What a round found: repetitions a second of all threads together, and their peak in the same moments.
struct TimedRound: Sendable {
    var rate: Double
    var peak: Double

    static func + (left: TimedRound, right: TimedRound) -> TimedRound {
        TimedRound(rate: left.rate + right.rate, peak: left.peak + right.peak)
    }
}

extension [TimedRound] {
    /// The fastest round, the one that other loads disturbed least; zero without rounds. A round above its peak shows that they
    /// disturbed the measuring of that: it counts only where there is no other, and then the one that is least above.
    ///
    /// - Parameter unit: of the peak a repetition.
    func fastest(unit: Double) -> TimedRound {
        let possible = filter { $0.rate * unit <= $0.peak }
        if let fastest = possible.max(by: { $0.rate < $1.rate }) { return fastest }
        return self.min { $0.rate * $1.peak < $1.rate * $0.peak } ?? TimedRound(rate: 0, peak: 0)
    }
}
