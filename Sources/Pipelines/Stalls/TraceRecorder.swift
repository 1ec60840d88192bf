import Files
import Foundation
import Synchronization

/// A bounded record of what every compute thread did and how deep the queues were, for Perfetto or chrome://tracing.
///
///     let trace = TraceRecorder(threads: 8)
///     let executor = ComputeExecutor(threads: 8, trace: trace)
///     …
///     try trace.write(to: runDirectory.appending(path: "trace.json"))
///
/// Each thread has a ring for its phases and one for its waits for other members of a team, which are short and many; when one is
/// full its oldest spans go first, and `droppedSpans` counts them.
public final class TraceRecorder: Sendable {
    /// Spans kept of a thread, and depths of all queues.
    public static let usualCapacity = 1 << 16

    private let rings: [TraceRing]
    private let depths: Mutex<Ring<Depth>>
    private let start = MonotonicTime.now()

    struct Depth {
        let queue: String
        let depth: Int
        let time: UInt64
    }

    /// - Parameters:
    ///   - threads: compute threads.
    ///   - spansPerThread: spans kept a thread, and as many waits; 24 bytes each.
    ///   - depths: changes of queue depth kept in all.
    public init(
        threads: Int, spansPerThread: Int = TraceRecorder.usualCapacity, depths: Int = TraceRecorder.usualCapacity
    ) {
        rings = (0..<threads).map { _ in TraceRing(capacity: spansPerThread) }
        self.depths = Mutex(Ring(capacity: depths))
    }

    /// Bytes that a recorder takes once each thread has recorded so many spans and waits, and the queues so many changes of depth.
    public static func byteCount(threads: Int, spans: Int, waits: Int, depths: Int) -> Int {
        let kept = min(spans, usualCapacity) + min(waits, usualCapacity)
        return threads * kept * MemoryLayout<TraceRing.Span>.stride
            + min(depths, usualCapacity) * MemoryLayout<Depth>.stride
    }

    var threads: Int { rings.count }

    func ring(_ thread: Int) -> TraceRing {
        rings[thread]
    }

    func record(queue: String, depth: Int, at time: UInt64) {
        depths.withLock { $0.append(Depth(queue: queue, depth: depth, time: time)) }
    }

    /// Spans that were overwritten because a ring was full.
    public var droppedSpans: Int {
        rings.reduce(0) { $0 + $1.dropped }
    }

    /// Writes what is held as Chrome trace JSON: complete events (`"ph": "X"`, microseconds from the recorder's start) a thread,
    /// counter events (`"ph": "C"`) for queue depths. Of a thread all phases come first and then all waits, each oldest first; a
    /// wait within a phase lies within that phase's event.
    ///
    /// Beside what is held it takes a copy of one thread's spans: the text goes to the file piece by piece.
    public func write(to file: URL) throws {
        try StreamedFile.write(inPlaceOf: file) { file in
            try text { try file.write($0) }
        }
    }

    /// Gives the file's text to `add`, an event at a time.
    func text(_ add: (String) throws -> Void) rethrows {
        try add(#"{"displayTimeUnit":"ms","traceEvents":["#)
        var separator = "\n"
        func addEvent(_ event: String) throws {
            try add(separator)
            try add(event)
            separator = ",\n"
        }
        for (thread, ring) in rings.enumerated() {
            try addEvent(
                #"{"name":"thread_name","ph":"M","pid":1,"tid":\#(thread + 1),"args":{"name":"core \#(thread)"}}"#)
            for spans in [ring.phases, ring.waits] {
                for span in spans() { try addEvent(text(of: span, thread: thread)) }
            }
        }
        for depth in depths.withLock({ $0.contents }) {
            try addEvent(
                #"{"name":\#(Self.quoted("queue " + depth.queue)),"ph":"C","pid":1,"ts":\#(microseconds(depth.time)),"#
                    + #""args":{"depth":\#(depth.depth)}}"#)
        }
        try add("\n]}\n")
    }

    private func text(of span: TraceRing.Span, thread: Int) -> String {
        let phases = Phase.allCases.count
        let stage = Stage.allCases[span.code / phases]
        let phase = Phase.allCases[span.code % phases]
        return #"{"name":"\#(phase.name)","cat":"\#(stage.name)","ph":"X","pid":1,"tid":\#(thread + 1),"#
            + #""ts":\#(microseconds(span.start)),"dur":\#(Double(span.end.since(span.start)) / 1000),"#
            + #""args":{"stage":"\#(stage.name)"}}"#
    }

    private func microseconds(_ time: UInt64) -> Double {
        Double(time.since(start)) / 1000
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.value < 0x20: quoted += String(format: "\\u%04x", scalar.value)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

/// One thread's spans.
final class TraceRing: Sendable {
    struct Span {
        /// `WorkerClock.code` of stage and phase.
        let code: Int
        let start: UInt64
        let end: UInt64
    }

    private struct Spans {
        /// Of all phases but `synchronize`; one that only waits have interrupted is one span.
        var phases: Ring<Span>
        /// Of `synchronize`. Apart, because a step has a hundred of them, which would leave a timeline of few steps.
        var waits: Ring<Span>
    }

    private let state: Mutex<Spans>

    init(capacity: Int) {
        state = Mutex(Spans(phases: Ring(capacity: capacity), waits: Ring(capacity: capacity)))
    }

    /// Called for one span after another.
    func record(code: Int, from start: UInt64, to end: UInt64) {
        let span = Span(code: code, start: start, end: end)
        let isWait = code == WorkerClock.code(code, switchedTo: .synchronize)
        state.withLock { spans in
            if isWait {
                spans.waits.append(span)
            } else if let last = spans.phases.last, last.code == code, let wait = spans.waits.last,
                wait.start == last.end, wait.end == start
            {
                spans.phases.replaceLast(with: Span(code: code, start: last.start, end: end))
            } else {
                spans.phases.append(span)
            }
        }
    }

    /// Of both the oldest first.
    func phases() -> [Span] { state.withLock { $0.phases.contents } }
    func waits() -> [Span] { state.withLock { $0.waits.contents } }
    var dropped: Int { state.withLock { $0.phases.dropped + $0.waits.dropped } }
}

/// The last `capacity` elements appended.
struct Ring<Element> {
    private var storage: [Element] = []
    private let capacity: Int
    private var next = 0
    private(set) var dropped = 0

    init(capacity: Int) {
        precondition(capacity > 0, "a ring needs room for one element, not \(capacity)")
        self.capacity = capacity
        storage.reserveCapacity(capacity)
    }

    mutating func append(_ element: Element) {
        if storage.count < capacity {
            storage.append(element)
            return
        }
        storage[next] = element
        next = (next + 1) % capacity
        dropped += 1
    }

    /// The latest element; nil before the first.
    var last: Element? { storage.isEmpty ? nil : storage[lastIndex] }

    /// There must be a last one.
    mutating func replaceLast(with element: Element) {
        storage[lastIndex] = element
    }

    private var lastIndex: Int { (next + storage.count - 1) % storage.count }

    /// Oldest first.
    var contents: [Element] {
        var contents: [Element] = []
        contents.reserveCapacity(storage.count)
        contents += storage[next...]
        contents += storage[..<next]
        return contents
    }
}
