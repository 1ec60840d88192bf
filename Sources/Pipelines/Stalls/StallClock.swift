import Glibc
import Memory
import Synchronization

/// Where the core time of a run goes: busy in a stage and phase, or idle with a cause.
///
/// The `ComputeExecutor` owns one and tells it which stage each job belongs to and when a thread parks; kernels' callers name the
/// phase; queues and gates register the stages' waits.
///
///     StallClock.phase(.decode) { decoder.step() }
///     let reply = try await executor.clock.waiting(.scoring, for: .external) { try await judge.ask(question) }
///     print(executor.clock.report().table)
///
/// Naming a phase costs two reads of the clock and no allocation or reference count; with a trace, each takes the lock of the
/// thread's own ring, for which only the writer of the trace ever competes. Outside of compute threads it does nothing.
public final class StallClock: Sendable {
    /// Number of threads whose time is accounted for.
    public let threads: Int
    /// Records spans and queue depths for a timeline, if asked for.
    public let trace: TraceRecorder?
    /// Nanoseconds of a monotonic clock.
    let now: @Sendable () -> UInt64
    private let start: UInt64
    private let memory: AlignedBuffer<UInt64>
    private let state: Mutex<State>

    private struct State {
        var ledger: StallLedger
        /// Set once the threads are gone.
        var stop: UInt64?
        var cpuClocks: [CPUClock]
    }

    /// A thread's own CPU clock, or its last reading once the thread has ended.
    private enum CPUClock {
        case none
        case running(clockid_t)
        case ended(nanoseconds: UInt64)
    }

    /// A clock for `threads` worker threads, all of them idle from now on.
    ///
    /// - Parameter trace: the timeline that spans are written to; its `threads` must be no fewer.
    public convenience init(threads: Int, trace: TraceRecorder? = nil) {
        self.init(threads: threads, trace: trace, now: MonotonicTime.now)
    }

    /// - Parameter now: nanoseconds of a clock that never runs backwards; tests pass one that they move by hand.
    package init(threads: Int, trace: TraceRecorder? = nil, now: @escaping @Sendable () -> UInt64) {
        precondition(threads >= 0, "a clock cannot account for \(threads) threads")
        precondition(
            trace.map { $0.threads >= threads } ?? true, "the trace recorder has fewer than \(threads) threads")
        self.threads = threads
        self.trace = trace
        self.now = now
        start = now()
        memory = AlignedBuffer(count: threads * WorkerClock.cellCount)
        state = Mutex(
            State(
                ledger: StallLedger(idleThreads: threads, at: start),
                cpuClocks: Array(repeating: .none, count: threads)))
        for index in 0..<threads {
            worker(index).initialize(at: start, ring: trace?.ring(index))
        }
    }

    func worker(_ index: Int) -> WorkerClock {
        WorkerClock(memory: memory.pointer + index * WorkerClock.cellCount)
    }

    // MARK: Phases

    /// Charges the time that `body` takes to `phase`, in the stage of the running job. Scopes nest: the inner one's time is not
    /// the outer one's.
    @inlinable
    @inline(__always)
    public static func phase<Result, Failure: Error>(
        _ phase: Phase, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let previous = enter(phase)
        defer { leave(to: previous) }
        return try body()
    }

    /// Charges what follows to `phase`, up to the next switch or the end of the job; a job ends where its task suspends.
    public static func switchPhase(_ phase: Phase) {
        _ = enter(phase)
    }

    /// Nanoseconds that the present thread has been charged for `phase` in the stage of the running job, up to its last
    /// switch; 0 on a thread that is no worker.
    package static func nanoseconds(_ phase: Phase) -> UInt64 {
        guard let worker = WorkerClock.current, worker.code != WorkerClock.idleCode else { return 0 }
        return worker.nanoseconds(WorkerClock.code(worker.code, switchedTo: phase))
    }

    /// The state to go back to; nil on a thread that is no worker.
    @inline(never)
    @usableFromInline
    static func enter(_ phase: Phase) -> Int? {
        guard let worker = WorkerClock.current else { return nil }
        let previous = worker.code
        worker.change(to: WorkerClock.code(previous, switchedTo: phase), at: MonotonicTime.now())
        return previous
    }

    @inline(never)
    @usableFromInline
    static func leave(to previous: Int?) {
        guard let previous, let worker = WorkerClock.current else { return }
        worker.change(to: previous, at: MonotonicTime.now())
    }

    // MARK: Waits

    /// Registers that a worker of `stage` waits; `endWait` must follow once.
    public func beginWait(_ stage: Stage, _ cause: WaitCause) {
        state.withLock { $0.ledger.begin(StallLedger.Wait(stage: stage, cause: cause), at: now()) }
    }

    public func endWait(_ stage: Stage, _ cause: WaitCause) {
        state.withLock { $0.ledger.end(StallLedger.Wait(stage: stage, cause: cause), at: now()) }
    }

    /// Runs `body`, which suspends, as a wait of `stage`.
    public nonisolated(nonsending) func waiting<Result, Failure: Error>(
        _ stage: Stage, for cause: WaitCause, _ body: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        beginWait(stage, cause)
        defer { endWait(stage, cause) }
        return try await body()
    }

    /// Counts work of `stage` that is thrown away, in a row of its own.
    ///
    /// - Parameter seconds: what of it is known of the stage's busy time, by phase; the report moves that to `discarded`.
    public func discard(
        _ work: DiscardedWork, stage: Stage, cause: DiscardCause, seconds: [(phase: Phase, seconds: Double)] = []
    ) {
        var work = work
        state.withLock { state in
            for part in seconds {
                let nanoseconds = UInt64(max(0, part.seconds) * 1e9)
                state.ledger.discard(nanoseconds: nanoseconds, code: WorkerClock.code(stage, part.phase))
                work.coreSeconds += max(0, part.seconds)
            }
            state.ledger.discard(work, stage: stage, cause: cause)
        }
    }

    // MARK: Threads

    /// The present thread is worker `index` from now on; it is still idle.
    func threadStarted(_ index: Int) {
        var clock = clockid_t()
        let code = pthread_getcpuclockid(pthread_self(), &clock)
        state.withLock { $0.cpuClocks[index] = code == 0 ? .running(clock) : .none }
        worker(index).makeCurrent()
    }

    /// The present thread, which is idle, ends.
    func threadEnded(_ index: Int) {
        let nanoseconds = Self.read(CLOCK_THREAD_CPUTIME_ID)
        state.withLock { $0.cpuClocks[index] = .ended(nanoseconds: nanoseconds) }
        WorkerClock.clearCurrent()
    }

    func park(_ index: Int) {
        state.withLock { state in
            let time = now()
            state.ledger.park(at: time)
            worker(index).change(to: WorkerClock.idleCode, at: time)
        }
    }

    func unpark(_ index: Int, code: Int) {
        state.withLock { state in
            let time = now()
            state.ledger.unpark(at: time)
            worker(index).change(to: code, at: time)
        }
    }

    /// Time stands still from now on: all threads have ended.
    func stop() {
        state.withLock { state in
            let time = now()
            state.ledger.advance(to: time)
            state.stop = state.stop ?? time
        }
    }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        guard clock_gettime(clock, &time) == 0 else { return 0 }
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    // MARK: The report

    /// Everything from the start to now, or to the shutdown of the executor.
    public func report() -> StallReport {
        // A reading that the system interrupted is not of one moment, for threads change phase without the lock: try again.
        for _ in 0..<10 {
            let (report, duration) = read()
            if Double(duration) < 1e6 * report.wallSeconds {
                return report
            }
        }
        return read().report
    }

    /// One reading, and the nanoseconds that it took.
    private func read() -> (report: StallReport, duration: UInt64) {
        var busy = [UInt64](repeating: 0, count: WorkerClock.busyCodes)
        var one = [UInt64](repeating: 0, count: WorkerClock.busyCodes + 1)
        // Under the lock no thread parks or wakes.
        return state.withLock { state in
            let time = state.stop ?? now()
            if state.stop == nil {
                state.ledger.advance(to: time)
            }
            for index in 0..<threads {
                worker(index).read(at: time, into: &one)
                for code in 0..<WorkerClock.busyCodes {
                    busy[code] += one[code]
                }
            }
            let duration = state.stop == nil ? now().since(time) : 0
            let cpu = state.cpuClocks.reduce(UInt64(0)) { total, clock in
                switch clock {
                case .none: total
                case .running(let clock): total + Self.read(clock)
                case .ended(let nanoseconds): total + nanoseconds
                }
            }
            let report = StallReport(
                wall: time.since(start), threads: threads, cpu: cpu, busy: busy, ledger: state.ledger)
            return (report, duration)
        }
    }
}
