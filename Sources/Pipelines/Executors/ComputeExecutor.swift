import Synchronization

/// One thread a core for everything that computes, so that the cooperative pool is left to what waits.
///
///     let executor = ComputeExecutor()
///     await withTaskGroup { group in
///         for worker in workers {
///             group.addTask(executorPreference: executor.lane(.rollout)) { await worker.run() }
///         }
///     }
///     executor.shutdown()
///
/// Three lanes share the threads: a thread that looks for work always takes a learner job before a scoring job, and that before a
/// rollout job, and the oldest within a lane. Jobs are never interrupted, so keep them short. Default actors follow the
/// preference of the task that calls them; an unstructured `Task {}` loses it, so start none in a stage.
public final class ComputeExecutor: Sendable {
    private let core: ComputeCore
    private let lanes: [ComputeLane]
    private let threadHandles: Mutex<[ComputeThread]>

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - threads: at least 1; by default the cores that the process may use, since more would only take turns.
    ///   - pinned: binds each thread to a core of its own, where the system allows it and there is a thread for every core:
    ///     with fewer, the system finds the free cores better.
    ///   - trace: where to record what the threads did, for at least `threads` threads.
    public init(
        threads: Int = ProcessorCores.available.count, pinned: Bool = true, trace: TraceRecorder? = nil
    ) {
        precondition(threads > 0, "an executor needs a thread, not \(threads)")
        let cores = ProcessorCores.available
        running = min(threads, cores.count)
        let core = ComputeCore(threads: threads, clock: StallClock(threads: threads, trace: trace))
        self.core = core
        lanes = Stage.allCases.map { ComputeLane(lane: Lane(stage: $0), stage: $0, core: core) }
        threadHandles = Mutex(
            (0..<threads).map { index in
                ComputeThread(
                    core: core, index: index, processorCore: pinned && threads == cores.count ? cores[index] : nil)
            })
    }

    deinit {
        // An executor that was not shut down: its threads end by themselves once their work is done.
        core.stop()
        threadHandles.withLock { handles in
            for handle in handles {
                handle.detach()
            }
        }
    }

    public var threads: Int { core.threads }

    /// Of these, as many as run at once: no more than the cores that the process may use when the executor is made.
    public let running: Int

    /// Where the time of the threads is accounted for; frozen after `shutdown`.
    public var clock: StallClock { core.clock }

    /// The executor for jobs of one class, charged to the stage of that name.
    public func lane(_ lane: Lane) -> ComputeLane {
        lanes[lane.stage.rawValue]
    }

    /// The executor for a stage's jobs. The problem source shares the rollout lane and is charged on its own.
    public func lane(for stage: Stage) -> ComputeLane {
        lanes[stage.rawValue]
    }

    /// Runs what is queued to its end, then ends the threads and waits for them. Twice does nothing.
    ///
    /// Call it when the tasks that use the executor have ended: a task that resumes on it afterwards traps, for no thread is
    /// left to run it. The caller may be on one of the threads, for a task without a preference goes on where it came out of an
    /// actor; that thread is not waited for, and ends when the task leaves it.
    public func shutdown() {
        core.stop()
        let handles = threadHandles.withLock { handles in
            defer { handles = [] }
            return handles
        }
        guard !handles.isEmpty else { return }
        for handle in handles {
            if handle.isCurrent {
                handle.detach()
            } else {
                handle.join()
            }
        }
        core.clock.stop()
    }

    /// Calls `body` once for each of `0..<tiles`, on the present thread and on threads that have nothing better to do; returns
    /// when all calls have.
    ///
    /// Idle threads claim tiles from a counter. The caller claims too and can finish alone: it waits only for helpers that are in
    /// a tile already, so the call may come from a compute job, or from within another tile. Helpers go back to higher lanes'
    /// jobs after each tile. Costs two boxes, 80 bytes, a call, and a wake-up when threads are parked: tens of microseconds of
    /// work are worth it.
    ///
    /// - Parameters:
    ///   - lane: the class that the helpers' work has.
    ///   - body: called from several threads at once, in no order; it must write only what no other tile reads or writes.
    public func concurrentPerform(tiles: Int, lane: Lane, _ body: (Int) -> Void) {
        core.concurrentPerform(tiles: tiles, lane: lane, code: WorkerClock.code(lane.stage, .other), body)
    }

    /// The same with the executor and the lane of the running job; elsewhere than on a compute thread, a plain loop.
    public static func concurrentPerform(tiles: Int, _ body: (Int) -> Void) {
        let done: Void? = ComputeThread.withCurrentCore { core, _ in
            let code = WorkerClock.current?.code ?? 0
            let stage = Stage.allCases[min(code / Phase.allCases.count, Stage.allCases.count - 1)]
            core.concurrentPerform(tiles: tiles, lane: Lane(stage: stage), code: code, body)
        }
        if done == nil {
            for tile in 0..<max(0, tiles) {
                body(tile)
            }
        }
    }
}
