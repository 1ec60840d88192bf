import Synchronization

/// The shared part of `BoundedQueue`: the state machine behind a lock, with time kept around it. Continuations are resumed
/// after unlocking; the stall clock, which never calls back, is told within the lock so that its waits begin and end in order.
final class BoundedQueueStorage<Element: Sendable>: Sendable {
    private typealias Machine = BoundedQueueStateMachine<Element, Sender, Receiver>
    typealias Ticket = UInt64
    typealias Sender = CheckedContinuation<Void, any Error>
    typealias Receiver = CheckedContinuation<Element?, any Error>

    private struct State {
        var machine: Machine
        var meter: QueueMeter
    }

    let name: String
    let capacity: Int
    private let producer: Stage?
    private let consumer: Stage?
    private let clock: StallClock?
    private let state: Mutex<State>

    init(
        name: String, capacity: Int, producer: Stage?, consumer: Stage?, clock: StallClock?,
        restoring elements: [Element]
    ) {
        self.name = name
        self.capacity = capacity
        self.producer = producer
        self.consumer = consumer
        self.clock = clock
        let now = clock?.now() ?? MonotonicTime.now()
        state = Mutex(
            State(
                machine: Machine(capacity: capacity, elements: elements),
                meter: QueueMeter(depth: elements.count, at: now)))
    }

    private func now() -> UInt64 {
        clock?.now() ?? MonotonicTime.now()
    }

    // MARK: Sending

    /// What an attempt to send came to, if it need not wait.
    private enum SendOutcome {
        case sent
        case deliver(Receiver, Element)
        case closed
        case suspended
    }

    nonisolated(nonsending) func send(_ element: Element) async throws {
        try Task.checkCancellation()
        switch state.withLock({ attemptSend(element, &$0) }) {
        case .sent: return
        case .deliver(let receiver, let element): return receiver.resume(returning: element)
        case .closed: throw QueueClosed(queue: name)
        case .suspended: try await waitToSend(element)
        }
    }

    /// Leaves the state as it was when it says `suspended`.
    private func attemptSend(_ element: Element, _ state: inout State) -> SendOutcome {
        switch state.machine.send(element) {
        case .enqueued:
            state.meter.sends += 1
            record(&state)
            return .sent
        case .deliver(let receiver, let element, let since):
            state.meter.sends += 1
            endStarvation(since: since, &state)
            state.meter.receives += 1
            return .deliver(receiver, element)
        case .closed:
            return .closed
        case .full:
            return .suspended
        }
    }

    private nonisolated(nonsending) func waitToSend(_ element: Element) async throws {
        let ticket = state.withLock { $0.machine.makeTicket() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: Sender) in
                let outcome: Result<SendOutcome, CancellationError> = state.withLock { state in
                    // A handler that ran before this lock was taken found no registration; the flag was set before it ran.
                    if Task.isCancelled {
                        return .failure(CancellationError())
                    }
                    let outcome = attemptSend(element, &state)
                    if case .suspended = outcome {
                        state.machine.suspend(continuation, ticket: ticket, element: element, since: now())
                        beginWait(producer, .blocked)
                    }
                    return .success(outcome)
                }
                switch outcome {
                case .success(.sent): continuation.resume()
                case .success(.deliver(let receiver, let element)):
                    receiver.resume(returning: element)
                    continuation.resume()
                case .success(.closed): continuation.resume(throwing: QueueClosed(queue: name))
                case .success(.suspended): break
                case .failure(let error): continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            let cancelled = state.withLock { state -> Sender? in
                guard let waiting = state.machine.cancelSend(ticket) else { return nil }
                endBlocking(since: waiting.since, &state)
                return waiting.sender
            }
            cancelled?.resume(throwing: CancellationError())
        }
    }

    // MARK: Receiving

    private enum ReceiveOutcome {
        case received(Element, resuming: Sender?)
        case finished
        case suspended
    }

    nonisolated(nonsending) func receive() async throws -> Element? {
        try Task.checkCancellation()
        switch state.withLock({ attemptReceive(&$0) }) {
        case .received(let element, let sender):
            sender?.resume()
            return element
        case .finished: return nil
        case .suspended: return try await waitToReceive()
        }
    }

    func receiveIfReady() -> Element? {
        guard case .received(let element, let sender) = state.withLock({ attemptReceive(&$0) }) else { return nil }
        sender?.resume()
        return element
    }

    private func attemptReceive(_ state: inout State) -> ReceiveOutcome {
        switch state.machine.receive() {
        case .element(let element, let sender, let since):
            state.meter.receives += 1
            if sender != nil {
                state.meter.sends += 1
                endBlocking(since: since, &state)
            }
            record(&state)
            return .received(element, resuming: sender)
        case .finished: return .finished
        case .empty: return .suspended
        }
    }

    private nonisolated(nonsending) func waitToReceive() async throws -> Element? {
        let ticket = state.withLock { $0.machine.makeTicket() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: Receiver) in
                let outcome: Result<ReceiveOutcome, CancellationError> = state.withLock { state in
                    if Task.isCancelled {
                        return .failure(CancellationError())
                    }
                    let outcome = attemptReceive(&state)
                    if case .suspended = outcome {
                        state.machine.suspend(continuation, ticket: ticket, since: now())
                        beginWait(consumer, .starved)
                    }
                    return .success(outcome)
                }
                switch outcome {
                case .success(.received(let element, let sender)):
                    sender?.resume()
                    continuation.resume(returning: element)
                case .success(.finished): continuation.resume(returning: nil)
                case .success(.suspended): break
                case .failure(let error): continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            let cancelled = state.withLock { state -> Receiver? in
                guard let waiting = state.machine.cancelReceive(ticket) else { return nil }
                endStarvation(since: waiting.since, &state)
                return waiting.receiver
            }
            cancelled?.resume(throwing: CancellationError())
        }
    }

    // MARK: The rest

    func close() {
        let freed = state.withLock { state in
            let freed = state.machine.close()
            for waiting in freed.senders {
                endBlocking(since: waiting.since, &state)
            }
            for waiting in freed.receivers {
                endStarvation(since: waiting.since, &state)
            }
            return freed
        }
        for waiting in freed.senders {
            waiting.sender.resume(throwing: QueueClosed(queue: name))
        }
        for waiting in freed.receivers {
            waiting.receiver.resume(returning: nil)
        }
    }

    var isClosed: Bool {
        state.withLock { $0.machine.isClosed }
    }

    var count: Int {
        state.withLock { $0.machine.elements.count }
    }

    func snapshot() -> [Element] {
        state.withLock { $0.machine.snapshot() }
    }

    /// Senders and receivers suspended now.
    var suspended: (senders: Int, receivers: Int) {
        state.withLock { ($0.machine.senders.count, $0.machine.receivers.count) }
    }

    var statistics: QueueStatistics {
        state.withLock { state in
            let now = now()
            state.meter.record(depth: state.machine.elements.count, at: now)
            let blocked = state.machine.senders.reduce(0) { $0 + now.since($1.since) }
            let starved = state.machine.receivers.reduce(0) { $0 + now.since($1.since) }
            return state.meter.statistics(name: name, capacity: capacity, blocked: blocked, starved: starved)
        }
    }

    // MARK: Time

    private func record(_ state: inout State) {
        let depth = state.machine.elements.count
        let now = now()
        state.meter.record(depth: depth, at: now)
        clock?.trace?.record(queue: name, depth: depth, at: now)
    }

    private func beginWait(_ stage: Stage?, _ cause: WaitCause) {
        if let clock, let stage {
            clock.beginWait(stage, cause)
        }
    }

    private func endBlocking(since: UInt64, _ state: inout State) {
        state.meter.blocked.record(nanoseconds: now().since(since))
        if let clock, let producer {
            clock.endWait(producer, .blocked)
        }
    }

    private func endStarvation(since: UInt64, _ state: inout State) {
        state.meter.starved.record(nanoseconds: now().since(since))
        if let clock, let consumer {
            clock.endWait(consumer, .starved)
        }
    }
}
