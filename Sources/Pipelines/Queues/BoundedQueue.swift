/// The queue was closed, and takes nothing more. The element that was to be sent is still the sender's.
public struct QueueClosed: Error, Hashable, CustomStringConvertible {
    public var queue: String

    public init(queue: String) {
        self.queue = queue
    }

    public var description: String {
        "the queue “\(queue)” is closed"
    }
}

/// Joins two stages: many producers, many consumers, first in first out, never more than `capacity` elements.
///
///     let rollouts = BoundedQueue<RolloutGroup>(name: "rollouts", capacity: 8)
///     try await rollouts.send(group)             // suspends while the queue is full
///     while let group = try await rollouts.receive() { … }   // suspends while it is empty; nil once closed and drained
///
/// No element is lost or doubled: an element is either in the queue (or with the receiver that took it), or `send` threw and
/// the sender still has it. Elements come out in the order in which their sends began to hold a place: senders that wait are
/// served in turn, so are receivers.
///
/// With a clock, waits are charged to the two stages: `blocked` to the producer, `starved` to the consumer.
public struct BoundedQueue<Element: Sendable>: Sendable {
    private let storage: BoundedQueueStorage<Element>

    /// - Parameters:
    ///   - name: for statistics, traces and errors.
    ///   - capacity: at least 1.
    ///   - producer: the stage that sends.
    ///   - consumer: the stage that receives.
    ///   - clock: where waits are charged; nil keeps them in `statistics` alone.
    ///   - elements: contents restored from a `snapshot()`. They may exceed `capacity`, as they include what suspended
    ///     senders held; no send succeeds until the queue has fallen below its capacity.
    public init(
        name: String, capacity: Int, producer: Stage? = nil, consumer: Stage? = nil, clock: StallClock? = nil,
        restoring elements: [Element] = []
    ) {
        storage = BoundedQueueStorage(
            name: name, capacity: capacity, producer: producer, consumer: consumer, clock: clock, restoring: elements)
    }

    public var name: String { storage.name }

    public var capacity: Int { storage.capacity }

    /// Adds an element at the end; suspends while the queue is full.
    ///
    /// When it throws, the element was **not** enqueued and no receiver has seen it.
    ///
    /// - Throws: `QueueClosed` when the queue is closed, before or during the wait; `CancellationError` when the task was
    ///   cancelled before the call or during the wait. A cancellation that comes after the element found its place does not
    ///   take it out again: `send` then returns as if nothing had happened.
    public nonisolated(nonsending) func send(_ element: Element) async throws {
        try await storage.send(element)
    }

    /// Takes the oldest element; suspends while the queue is empty. Nil once the queue is closed and drained.
    ///
    /// - Throws: `CancellationError` when the task was cancelled before the call or during the wait; no element is lost. An
    ///   element that was handed over before the cancellation is returned.
    public nonisolated(nonsending) func receive() async throws -> Element? {
        try await storage.receive()
    }

    /// Takes the oldest element if there is one; never suspends. For a consumer that has other work to do: nil says only that
    /// nothing is ready.
    public func receiveIfReady() -> Element? {
        storage.receiveIfReady()
    }

    /// Takes no more elements: senders, waiting ones too, get `QueueClosed`, receivers drain what is in the queue. Closing
    /// twice does nothing.
    public func close() {
        storage.close()
    }

    public var isClosed: Bool { storage.isClosed }

    /// Elements in the queue, without those of suspended senders.
    public var count: Int { storage.count }

    /// All elements not yet received, in the order in which they will be: the queue's, then the suspended senders'.
    public func snapshot() -> [Element] {
        storage.snapshot()
    }

    public var statistics: QueueStatistics { storage.statistics }

    /// How many senders and receivers are suspended at this moment.
    package var suspended: (senders: Int, receivers: Int) { storage.suspended }
}

/// What a supervisor needs of a queue, whatever its elements are.
public protocol ClosableQueue: Sendable {
    var name: String { get }
    func close()
    var isClosed: Bool { get }
    var statistics: QueueStatistics { get }
}

extension BoundedQueue: ClosableQueue {}
