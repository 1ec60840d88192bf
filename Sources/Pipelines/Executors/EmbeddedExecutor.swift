import Synchronization

/// A deterministic double of `ComputeExecutor` for tests: runs queued jobs on the caller's thread, one at a time, in an order that
/// the seed decides.
///
///     let executor = EmbeddedExecutor(seed: 7)
///     let sum = try executor.run { try await pipeline.run() }
///
/// Tasks with this preference make no step but within `run` or `runUntilIdle`, and two runs with the same seed take the same steps.
/// What the tasks await must be resumed by other such tasks: a timer or another executor would bring chance back.
public final class EmbeddedExecutor: TaskExecutor {
    /// The task cannot go on: all jobs have run and it still waits.
    public struct Stalled: Error, Hashable, CustomStringConvertible {
        public var seed: UInt64

        public init(seed: UInt64) {
            self.seed = seed
        }

        public var description: String {
            "no job is left and the task has not ended: a deadlock under seed \(seed)"
        }
    }

    private struct State {
        var jobs: [UnownedJob] = []
        var random: UInt64
        var isFirstInFirstOut: Bool
    }

    private let seed: UInt64
    private let state: Mutex<State>

    /// - Parameter seed: decides which of the waiting jobs runs next; nil takes the oldest.
    public init(seed: UInt64?) {
        self.seed = seed ?? 0
        state = Mutex(State(random: seed ?? 0, isFirstInFirstOut: seed == nil))
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
    }

    /// Runs one job; false if there is none.
    @discardableResult
    public func step() -> Bool {
        let job = state.withLock { state -> UnownedJob? in
            guard !state.jobs.isEmpty else { return nil }
            guard !state.isFirstInFirstOut else { return state.jobs.removeFirst() }
            // SplitMix64 (Steele, Lea and Flood, 2014).
            state.random &+= 0x9e37_79b9_7f4a_7c15
            var bits = state.random
            bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
            bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
            bits ^= bits >> 31
            return state.jobs.remove(at: Int(bits % UInt64(state.jobs.count)))
        }
        guard let job else { return false }
        job.runSynchronously(on: asUnownedTaskExecutor())
        return true
    }

    /// Runs jobs, those that they enqueue too, until none is left.
    public func runUntilIdle() {
        while step() {}
    }

    /// Runs `body` as a task on this executor, to its end.
    ///
    /// - Throws: what `body` throws; `Stalled` if it cannot go on.
    public func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let outcome = Outcome<Value>()
        let task = Task(executorPreference: self) {
            do {
                let value = try await body()
                outcome.result.withLock { $0 = .success(value) }
            } catch {
                outcome.result.withLock { $0 = .failure(error) }
            }
        }
        runUntilIdle()
        guard let result = outcome.result.withLock({ $0 }) else {
            // Lets go of whatever can be let go of, so that the test process does not keep it.
            task.cancel()
            runUntilIdle()
            throw Stalled(seed: seed)
        }
        return try result.get()
    }

    private final class Outcome<Value: Sendable>: Sendable {
        let result = Mutex<Result<Value, any Error>?>(nil)
    }
}
