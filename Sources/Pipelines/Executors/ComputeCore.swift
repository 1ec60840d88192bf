import DequeModule
import Glibc
import Synchronization

/// The shared part of `ComputeExecutor`: the lanes' queues and the loop that each thread runs.
final class ComputeCore: @unchecked Sendable {
    // Unchecked: `state` is touched under `lock` alone, whichever thread does; the rest is constant or atomic.

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
    private let queuedLanes = QueuedLanes()
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
        queuedLanes.insert(lane)
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

    /// The best piece of work there is: by lane, and within a lane first a job, since whoever runs a loop can finish it alone.
    /// Parks while there is none.
    ///
    /// - Parameter helped: the state that the thread was in, if it comes from a team.
    private func nextWork(_ isIdle: inout Bool, _ index: Int, helped: Int?) -> Work {
        var helped = helped
        lock.lock()
        defer { lock.unlock() }
        while true {
            for lane in Lane.allCases {
                if let job = state.queues[lane.rawValue].popFirst() {
                    if state.queues[lane.rawValue].isEmpty {
                        queuedLanes.remove(lane)
                    }
                    return .job(job)
                }
                if let (loop, lane, code) = joinLoop(lane) {
                    return .help(loop, lane: lane, code: code)
                }
            }
            if let code = helped, !state.isStopping {
                helped = nil
                lock.unlock()
                clock.worker(index).change(
                    to: WorkerClock.code(code, switchedTo: .synchronize), at: MonotonicTime.now())
                linger()
                lock.lock()
                continue
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

    /// Looks out for work without sleeping, some tens of microseconds: one team's program follows another within less, and
    /// waking a thread takes as long. That takes the core, so the caller has charged it as `Phase.synchronize`.
    private func linger() {
        for _ in 0..<64 where openLoops.load(ordering: .relaxed) == 0 && queuedLanes.areEmpty {
            sched_yield()
        }
    }

    /// The life of one thread.
    func work(_ index: Int) {
        let worker = clock.worker(index)
        var isIdle = true
        var helped: Int?
        func begin(_ code: Int) {
            if isIdle {
                clock.unpark(index, code: code)
                isIdle = false
            } else {
                worker.change(to: code, at: MonotonicTime.now())
            }
        }
        while true {
            switch nextWork(&isIdle, index, helped: helped) {
            case .job(let job):
                helped = nil
                begin(job.code)
                job.job.runSynchronously(on: job.executor)
            case .help(let loop, let lane, let code):
                helped = code
                begin(code)
                help(loop, lane, index)
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

    /// The open loop that has the fewest helpers.
    private func joinLoop(_ lane: Lane) -> (TileLoop, Lane, Int)? {
        guard openLoops.load(ordering: .relaxed) > 0 else { return nil }
        while true {
            var best: (loop: TileLoop, helpers: Int)?
            for loop in loops {
                guard let helpers = loop.helpers(of: lane), helpers < best?.helpers ?? .max else { continue }
                best = (loop, helpers)
            }
            guard let loop = best?.loop else { return nil }
            // It may have closed meanwhile; then another is looked for.
            if let (lane, code) = loop.join() { return (loop, lane, code) }
        }
    }

    private func help(_ loop: TileLoop, _ lane: Lane, _ index: Int) {
        var member = member(of: loop, index: index, better: lane.better)
        if loop.run(&member) {
            openLoops.wrappingSubtract(1, ordering: .relaxed)
        }
        loop.leave()
    }

    private func member(of loop: TileLoop, index: Int, better: Int) -> TeamMember {
        // The core keeps both alive, and its threads keep the core alive.
        TeamMember(
            index: index, places: threads,
            help: TeamMember.Help(
                loop: .passUnretained(loop), better: better, queuedLanes: .passUnretained(queuedLanes)))
    }

    /// Runs a program from thread `thread` of this core, which passes on the lane and the phase that it is in.
    func run(_ program: borrowing TeamProgram, on thread: Int, places: Int, members: Int) {
        guard min(threads, members) > 1, places >= threads, let loop = loops.first(where: { $0.take() }) else {
            var member = TeamMember()
            program.body(&member)
            return
        }
        let code = WorkerClock.current?.code ?? 0
        let stage = Stage.allCases[min(code / Phase.allCases.count, Stage.allCases.count - 1)]
        share(
            program, through: loop, helpers: min(threads, members) - 1, index: thread, lane: Lane(stage: stage),
            code: code)
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
        // `share` returns when the last helper has left, and a helper has given up its copy of the program by then.
        withoutActuallyEscaping(body) { body in
            let program = TeamProgram { member in member.perform(tiles, body) }
            // A loop over tiles has nothing that goes by the member's index, so a caller from elsewhere has any.
            share(program, through: loop, helpers: tiles - 1, index: 0, lane: lane, code: code)
        }
    }

    private func share(
        _ program: borrowing TeamProgram, through loop: TileLoop, helpers: Int, index: Int, lane: Lane, code: Int
    ) {
        // Helpers have the pointer from `offer` on until they leave; `finish` waits for them.
        withUnsafePointer(to: program) { program in
            // Counted before it opens, so that the count is never below the loops that are open.
            openLoops.wrappingAdd(1, ordering: .relaxed)
            loop.offer(program, helpers: helpers, lane: lane, code: code)
            wake(helpers)
            var member = member(of: loop, index: index, better: 0)
            if loop.run(&member) {
                openLoops.wrappingSubtract(1, ordering: .relaxed)
            }
            loop.finish()
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
