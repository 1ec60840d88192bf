import DequeModule
import Glibc
import Synchronization

/// The shared part of `ComputeExecutor`: the lanes' queues and the loop that each thread runs.
final class ComputeCore: @unchecked Sendable {
    // `state` is touched under `lock` alone; the rest is constant or atomic.

    struct Job {
        let job: UnownedJob
        let executor: UnownedTaskExecutor
        /// `WorkerClock` state to start in.
        let code: Int
    }

    private struct State {
        var queues: [Deque<Job>] = Lane.allCases.map { _ in Deque(minimumCapacity: 64) }
        var parked = 0
        var live: Int
        var isStopping = false
    }

    let threads: Int
    let clock: StallClock
    private let lock = ConditionLock()
    private var state: State
    private let loops: [TileLoop]
    /// Bit n: lane n has jobs waiting. Written under the lock, read without.
    private let queuedLanes = Atomic(0)
    /// Loops that are open to helpers.
    private let openLoops = Atomic(0)

    init(threads: Int, clock: StallClock) {
        self.threads = threads
        self.clock = clock
        state = State(live: threads)
        // A thread holds a loop for each level of nesting; when all are taken, a loop runs on its caller alone.
        loops = (0..<2 * threads + 2).map { _ in TileLoop() }
    }

    // MARK: Jobs

    func enqueue(_ job: Job, lane: Lane) {
        lock.lock()
        guard state.live > 0 else {
            lock.unlock()
            fatalError("a task runs on a ComputeExecutor that was shut down; shut it down after its tasks have ended")
        }
        state.queues[lane.rawValue].append(job)
        queuedLanes.bitwiseOr(1 << lane.rawValue, ordering: .relaxed)
        let wake = state.parked > 0
        lock.unlock()
        if wake {
            lock.signal()
        }
    }

    private enum Work {
        case job(Job)
        case help(TileLoop, lane: Lane, code: Int)
        case end
    }

    /// The best piece of work there is: by lane, and within a lane first a loop that somebody waits for. Parks while there is
    /// none.
    private func nextWork(_ isIdle: inout Bool, _ index: Int) -> Work {
        lock.lock()
        defer { lock.unlock() }
        while true {
            for lane in Lane.allCases {
                if let (loop, code) = joinLoop(lane) {
                    return .help(loop, lane: lane, code: code)
                }
                if let job = state.queues[lane.rawValue].popFirst() {
                    if state.queues[lane.rawValue].isEmpty {
                        queuedLanes.bitwiseAnd(~(1 << lane.rawValue), ordering: .relaxed)
                    }
                    return .job(job)
                }
            }
            if !isIdle {
                clock.park(index)
                isIdle = true
            }
            if state.isStopping {
                state.live -= 1
                return .end
            }
            state.parked += 1
            lock.wait()
            state.parked -= 1
        }
    }

    /// The life of one thread.
    func work(_ index: Int) {
        let worker = clock.worker(index)
        var isIdle = true
        func begin(_ code: Int) {
            if isIdle {
                clock.unpark(index, code: code)
                isIdle = false
            } else {
                worker.change(to: code, at: MonotonicTime.now())
            }
        }
        while true {
            switch nextWork(&isIdle, index) {
            case .job(let job):
                begin(job.code)
                job.job.runSynchronously(on: job.executor)
            case .help(let loop, let lane, let code):
                begin(code)
                help(loop, lane)
            case .end:
                return
            }
        }
    }

    func stop() {
        lock.lock()
        state.isStopping = true
        lock.unlock()
        lock.broadcast()
    }

    // MARK: Tiles

    private func joinLoop(_ lane: Lane) -> (TileLoop, Int)? {
        guard openLoops.load(ordering: .relaxed) > 0 else { return nil }
        for loop in loops where loop.isOpen(for: lane) {
            if let code = loop.join() {
                return (loop, code)
            }
        }
        return nil
    }

    private func help(_ loop: TileLoop, _ lane: Lane) {
        let better = (1 << lane.rawValue) - 1
        let closed = loop.run { queuedLanes.load(ordering: .relaxed) & better != 0 }
        if closed {
            openLoops.wrappingSubtract(1, ordering: .relaxed)
        }
        loop.leave()
    }

    func concurrentPerform(tiles: Int, lane: Lane, code: Int, _ body: (Int) -> Void) {
        // A single compute thread has nobody to help it; a caller from elsewhere has that one.
        let isAlone = threads == 1 && WorkerClock.current != nil
        guard tiles > 1, !isAlone, let loop = loops.first(where: { $0.take() }) else {
            for tile in 0..<max(0, tiles) {
                body(tile)
            }
            return
        }
        // A compute thread passes on the phase that it is in.
        let code = WorkerClock.current?.code ?? code
        withoutActuallyEscaping(body) { body in
            withUnsafePointer(to: TileLoop.Body(call: body)) { body in
                // Counted before it opens, so that the count is never below the loops that are open.
                openLoops.wrappingAdd(1, ordering: .relaxed)
                loop.offer(body, tiles: tiles, lane: lane, code: code)
                wake(tiles - 1)
                if loop.run(pause: { false }) {
                    openLoops.wrappingSubtract(1, ordering: .relaxed)
                }
                loop.finish()
            }
        }
    }

    /// Wakes up to `helpers` parked threads.
    private func wake(_ helpers: Int) {
        // A thread that is about to park looks for open loops under the lock, so that it is either counted or finds the loop.
        lock.lock()
        let parked = state.parked
        lock.unlock()
        if helpers >= parked {
            if parked > 0 {
                lock.broadcast()
            }
            return
        }
        for _ in 0..<helpers {
            lock.signal()
        }
    }
}

extension Lane {
    init(stage: Stage) {
        switch stage {
        case .learning: self = .learner
        case .scoring: self = .scoring
        case .rollout, .problemSource: self = .rollout
        }
    }
}
