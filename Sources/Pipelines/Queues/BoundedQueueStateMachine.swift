import DequeModule

/// The pure part of `BoundedQueue`: what each event does to the queue and which waiters it sets free.
///
/// It holds no lock, resumes nobody and knows no task: waiters are opaque tokens, so that tests can drive it with integers.
/// The caller carries out the returned action after it has let go of its lock.
///
/// Invariants, with `n` elements, `s` suspended senders and `r` suspended receivers:
/// `s > 0` implies `n >= capacity`, `r > 0` implies `n == 0` and `s == 0`, and a closed queue has `s == r == 0`.
struct BoundedQueueStateMachine<Element, Sender, Receiver> {
    /// Names a suspended waiter, for its cancellation.
    typealias Ticket = UInt64

    struct SuspendedSender {
        let ticket: Ticket
        let element: Element
        let sender: Sender
        let since: UInt64
    }

    struct SuspendedReceiver {
        let ticket: Ticket
        let receiver: Receiver
        let since: UInt64
    }

    enum SendAction {
        /// The element is in the queue.
        case enqueued
        /// The element goes to a receiver that waited since the time given; resume it.
        case deliver(Receiver, Element, since: UInt64)
        /// The queue is closed; the element was not taken.
        case closed
        /// The queue is full; the element was not taken.
        case full
    }

    enum ReceiveAction {
        /// The oldest element; a sender that waited since the time given now has its element in the queue: resume it.
        case element(Element, resuming: Sender?, since: UInt64)
        /// Closed and drained.
        case finished
        case empty
    }

    let capacity: Int
    private(set) var elements: Deque<Element>
    private(set) var senders: Deque<SuspendedSender> = []
    private(set) var receivers: Deque<SuspendedReceiver> = []
    private(set) var isClosed = false
    private var lastTicket: Ticket = 0

    /// - Parameter elements: contents restored from a checkpoint; they may exceed `capacity`, because they include what
    ///   suspended senders held, and no send succeeds until enough of them has been received.
    init(capacity: Int, elements: [Element] = []) {
        precondition(capacity > 0, "a queue needs room for one element, not \(capacity)")
        self.capacity = capacity
        self.elements = Deque(elements)
        self.elements.reserveCapacity(capacity)
    }

    mutating func makeTicket() -> Ticket {
        lastTicket += 1
        return lastTicket
    }

    /// Sends without waiting, if that is possible.
    mutating func send(_ element: Element) -> SendAction {
        if isClosed {
            return .closed
        }
        if let waiting = receivers.popFirst() {
            return .deliver(waiting.receiver, element, since: waiting.since)
        }
        guard elements.count < capacity else {
            return .full
        }
        elements.append(element)
        return .enqueued
    }

    /// Registers a sender after `send` said `full`, under the same lock.
    mutating func suspend(_ sender: Sender, ticket: Ticket, element: Element, since: UInt64) {
        senders.append(SuspendedSender(ticket: ticket, element: element, sender: sender, since: since))
    }

    /// Receives without waiting, if that is possible.
    mutating func receive() -> ReceiveAction {
        guard let element = elements.popFirst() else {
            return isClosed ? .finished : .empty
        }
        guard elements.count < capacity, let waiting = senders.popFirst() else {
            return .element(element, resuming: nil, since: 0)
        }
        elements.append(waiting.element)
        return .element(element, resuming: waiting.sender, since: waiting.since)
    }

    /// Registers a receiver after `receive` said `empty`, under the same lock.
    mutating func suspend(_ receiver: Receiver, ticket: Ticket, since: UInt64) {
        receivers.append(SuspendedReceiver(ticket: ticket, receiver: receiver, since: since))
    }

    /// Takes a sender's registration back; nil if its element is already in the queue or the queue has closed.
    mutating func cancelSend(_ ticket: Ticket) -> SuspendedSender? {
        guard let index = senders.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return senders.remove(at: index)
    }

    /// Takes a receiver's registration back; nil if it already has its element or the queue has closed.
    mutating func cancelReceive(_ ticket: Ticket) -> SuspendedReceiver? {
        guard let index = receivers.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return receivers.remove(at: index)
    }

    /// Closes the queue: every suspended sender fails with its element not taken, every suspended receiver gets the end. The
    /// elements in the queue stay for receivers to drain. Closing twice does nothing.
    mutating func close() -> (senders: Deque<SuspendedSender>, receivers: Deque<SuspendedReceiver>) {
        isClosed = true
        defer {
            senders = []
            receivers = []
        }
        return (senders, receivers)
    }

    /// All elements not yet received, those of suspended senders included, in the order in which they will be received.
    func snapshot() -> [Element] {
        elements + senders.map(\.element)
    }
}
