/// Where the core time of a run, or of a part of it, went. All times in seconds.
///
/// `busy`, `discarded`, and `idle` together make threads × wall.
public struct StallReport: Sendable, Codable, Hashable {
    public struct Busy: Sendable, Codable, Hashable {
        public var stage: Stage
        public var phase: Phase
        /// Core seconds, without those in `discarded`.
        public var seconds: Double
    }

    public struct Idle: Sendable, Codable, Hashable {
        /// The wait that the idle cores are charged to; nil where no stage waited.
        public var stage: Stage?
        public var cause: WaitCause?
        /// Core seconds.
        public var seconds: Double
    }

    public struct Discard: Sendable, Codable, Hashable {
        public var stage: Stage
        public var cause: DiscardCause
        public var work: DiscardedWork
    }

    public struct Wait: Sendable, Codable, Hashable {
        public var stage: Stage
        public var cause: WaitCause
        /// Summed over the stage's workers.
        public var waiterSeconds: Double
        /// Wall seconds with at least one worker waiting.
        public var seconds: Double
    }

    public var wallSeconds: Double
    public var threads: Int
    /// By the threads' own CPU clocks: less than the busy time where the system gave the cores to somebody else.
    public var cpuSeconds: Double
    /// One row for each stage and phase with any time.
    public var busy: [Busy]
    /// Core seconds of work that was thrown away later, by stage and phase.
    public var discarded: [Busy]
    /// What that work was: one row for each stage and cause with any.
    public var discards: [Discard]
    /// One row for each cause with any time.
    public var idle: [Idle]
    /// One row for each stage and cause with any time. Waits are no core time: they overlap with it.
    public var waits: [Wait]

    public var coreSeconds: Double { Double(threads) * wallSeconds }
    public var busySeconds: Double { busy.reduce(0) { $0 + $1.seconds } }
    public var discardedSeconds: Double { discarded.reduce(0) { $0 + $1.seconds } }
    /// All that was thrown away.
    public var discardedWork: DiscardedWork { discards.reduce(DiscardedWork()) { $0 + $1.work } }
    public var idleSeconds: Double { idle.reduce(0) { $0 + $1.seconds } }

    /// What the rows leave unexplained, as a fraction of threads × wall.
    public var unexplained: Double {
        guard coreSeconds > 0 else { return 0 }
        return abs(coreSeconds - busySeconds - discardedSeconds - idleSeconds) / coreSeconds
    }

    /// Busy core seconds of a stage, in one phase or in all.
    public func busySeconds(_ stage: Stage, _ phase: Phase? = nil) -> Double {
        busy.reduce(0) { $0 + ($1.stage == stage && (phase == nil || $1.phase == phase) ? $1.seconds : 0) }
    }

    /// Idle core seconds charged to a wait; nil and nil for those without a cause.
    public func idleSeconds(_ stage: Stage?, _ cause: WaitCause?) -> Double {
        idle.reduce(0) { $0 + ($1.stage == stage && $1.cause == cause ? $1.seconds : 0) }
    }

    /// Wall seconds in which at least one worker of the stage waited so.
    public func waitSeconds(_ stage: Stage, _ cause: WaitCause) -> Double {
        waits.reduce(0) { $0 + ($1.stage == stage && $1.cause == cause ? $1.seconds : 0) }
    }

    /// What happened after an earlier report of the same clock.
    public func since(_ earlier: StallReport) -> StallReport {
        var difference = self
        difference.wallSeconds -= earlier.wallSeconds
        difference.cpuSeconds -= earlier.cpuSeconds
        difference.busy = Self.subtract(earlier.busy, from: busy)
        difference.discarded = Self.subtract(earlier.discarded, from: discarded)
        difference.discards = discards.compactMap { row in
            var row = row
            for old in earlier.discards where old.stage == row.stage && old.cause == row.cause {
                row.work = row.work - old.work
            }
            return row.work.isEmpty ? nil : row
        }
        difference.idle = idle.compactMap { row in
            var row = row
            row.seconds -= earlier.idleSeconds(row.stage, row.cause)
            return row.seconds > 0 ? row : nil
        }
        difference.waits = waits.compactMap { row in
            var row = row
            for old in earlier.waits where old.stage == row.stage && old.cause == row.cause {
                row.seconds -= old.seconds
                row.waiterSeconds -= old.waiterSeconds
            }
            return row.waiterSeconds > 0 ? row : nil
        }
        return difference
    }

    private static func subtract(_ earlier: [Busy], from later: [Busy]) -> [Busy] {
        later.compactMap { row in
            var row = row
            for old in earlier where old.stage == row.stage && old.phase == row.phase {
                row.seconds -= old.seconds
            }
            return row.seconds != 0 ? row : nil
        }
    }
}

extension StallReport {
    /// - Parameters:
    ///   - wall: nanoseconds.
    ///   - cpu: nanoseconds, all threads.
    ///   - busy: nanoseconds by `WorkerClock.code`, all threads.
    init(wall: UInt64, threads: Int, cpu: UInt64, busy nanoseconds: [UInt64], ledger: StallLedger) {
        wallSeconds = Double(wall) / 1e9
        self.threads = threads
        cpuSeconds = Double(cpu) / 1e9
        busy = []
        discarded = []
        for stage in Stage.allCases {
            for phase in Phase.allCases {
                let code = WorkerClock.code(stage, phase)
                // Nobody can throw away more than was done.
                let wasted = min(ledger.discardedNanoseconds(code: code), nanoseconds[code])
                let kept = nanoseconds[code] - wasted
                if kept > 0 {
                    busy.append(Busy(stage: stage, phase: phase, seconds: Double(kept) / 1e9))
                }
                if wasted > 0 {
                    discarded.append(Busy(stage: stage, phase: phase, seconds: Double(wasted) / 1e9))
                }
            }
        }
        discards = Stage.allCases.flatMap { stage in
            DiscardCause.allCases.map { Discard(stage: stage, cause: $0, work: ledger.discards(stage, $0)) }
        }.filter { !$0.work.isEmpty }
        idle = []
        waits = []
        for wait in StallLedger.Wait.all {
            let idleTime = ledger.idleNanoseconds(wait)
            if idleTime > 0 {
                idle.append(Idle(stage: wait.stage, cause: wait.cause, seconds: Double(idleTime) / 1e9))
            }
            let waiting = ledger.waitingNanoseconds(wait)
            if waiting > 0 {
                waits.append(
                    Wait(
                        stage: wait.stage, cause: wait.cause, waiterSeconds: Double(waiting) / 1e9,
                        seconds: Double(ledger.anyWaitingNanoseconds(wait)) / 1e9))
            }
        }
        if ledger.idleWithoutCause > 0 {
            idle.append(Idle(stage: nil, cause: nil, seconds: Double(ledger.idleWithoutCause) / 1e9))
        }
    }
}
