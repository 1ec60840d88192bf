/// Who waits for what, and which wait each idle nanosecond is charged to: a pure value, driven by events with their times.
///
/// Between two events the number of idle threads and the set of registered waits stand still; the idle time of that span,
/// threads × nanoseconds, is split equally over the waits registered in it. A wait that is not just passed on through a queue
/// (weights, staleness, external) comes before `starved` and `blocked`: while one of those is registered, it alone is charged,
/// for the queues around it run empty or full on its account. Without any wait the span goes to no cause.
struct StallLedger: Sendable {
    struct Wait: Hashable {
        var stage: Stage
        var cause: WaitCause

        var index: Int { stage.rawValue * WaitCause.allCases.count + cause.rawValue }

        static let all = Stage.allCases.flatMap { stage in WaitCause.allCases.map { Wait(stage: stage, cause: $0) } }
        static let propagated: [Int] = all.filter(\.cause.isPropagated).map(\.index)
        static let rooted: [Int] = all.filter { !$0.cause.isPropagated }.map(\.index)
    }

    private(set) var idleThreads: Int
    private(set) var last: UInt64
    /// Waiters now, by wait.
    private var waiters = [Int](repeating: 0, count: Wait.all.count)
    /// Idle nanoseconds × threads, by wait.
    private var idle = [UInt64](repeating: 0, count: Wait.all.count)
    private(set) var idleWithoutCause: UInt64 = 0
    /// Nanoseconds × waiters, by wait.
    private var waiting = [UInt64](repeating: 0, count: Wait.all.count)
    /// Nanoseconds with at least one waiter, by wait.
    private var anyWaiting = [UInt64](repeating: 0, count: Wait.all.count)
    /// Nanoseconds that were found to be wasted, by stage and phase.
    private var discarded = [UInt64](repeating: 0, count: WorkerClock.busyCodes)
    /// What was found to be wasted, by stage and cause.
    private var discards = [DiscardedWork](
        repeating: DiscardedWork(), count: Stage.allCases.count * DiscardCause.allCases.count)

    init(idleThreads: Int, at now: UInt64) {
        self.idleThreads = idleThreads
        last = now
    }

    /// Charges the span since the last event. Times that run backwards count as no time.
    mutating func advance(to now: UInt64) {
        let span = now.since(last)
        guard span > 0 else { return }
        last = now
        for index in 0..<waiters.count where waiters[index] > 0 {
            waiting[index] += span * UInt64(waiters[index])
            anyWaiting[index] += span
        }
        let idleSpan = span * UInt64(idleThreads)
        if idleSpan == 0 {
            return
        }
        if !charge(idleSpan, to: Wait.rooted), !charge(idleSpan, to: Wait.propagated) {
            idleWithoutCause += idleSpan
        }
    }

    /// Splits `span` over those of `waits` that have a waiter; false if none has.
    private mutating func charge(_ span: UInt64, to waits: [Int]) -> Bool {
        var active: UInt64 = 0
        for index in waits where waiters[index] > 0 {
            active += 1
        }
        guard active > 0 else { return false }
        let share = span / active
        // What the division leaves goes to the first, so that nothing is lost.
        var rest = span % active
        for index in waits where waiters[index] > 0 {
            idle[index] += share + rest
            rest = 0
        }
        return true
    }

    mutating func park(at now: UInt64) {
        advance(to: now)
        idleThreads += 1
    }

    mutating func unpark(at now: UInt64) {
        advance(to: now)
        idleThreads -= 1
    }

    mutating func begin(_ wait: Wait, at now: UInt64) {
        advance(to: now)
        waiters[wait.index] += 1
    }

    mutating func end(_ wait: Wait, at now: UInt64) {
        advance(to: now)
        waiters[wait.index] -= 1
    }

    mutating func discard(nanoseconds: UInt64, code: Int) {
        discarded[code] += nanoseconds
    }

    mutating func discard(_ work: DiscardedWork, stage: Stage, cause: DiscardCause) {
        let index = stage.rawValue * DiscardCause.allCases.count + cause.rawValue
        discards[index] = discards[index] + work
    }

    func discards(_ stage: Stage, _ cause: DiscardCause) -> DiscardedWork {
        discards[stage.rawValue * DiscardCause.allCases.count + cause.rawValue]
    }

    func waiters(_ wait: Wait) -> Int { waiters[wait.index] }
    func idleNanoseconds(_ wait: Wait) -> UInt64 { idle[wait.index] }
    func waitingNanoseconds(_ wait: Wait) -> UInt64 { waiting[wait.index] }
    func anyWaitingNanoseconds(_ wait: Wait) -> UInt64 { anyWaiting[wait.index] }
    func discardedNanoseconds(code: Int) -> UInt64 { discarded[code] }
}
