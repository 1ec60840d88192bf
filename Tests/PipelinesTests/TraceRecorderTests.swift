import Foundation
import Testing

@testable import Memory
@testable import Pipelines

@Suite struct TraceRecorderTests {
    private struct Trace: Decodable {
        struct Event: Decodable {
            struct Arguments: Decodable {
                var stage: String?
                var depth: Int?
                var name: String?
            }
            var name: String
            var ph: String
            var tid: Int?
            var ts: Double?
            var dur: Double?
            var args: Arguments
        }
        var traceEvents: [Event]
    }

    private func decode(_ trace: TraceRecorder) throws -> [Trace.Event] {
        var text = ""
        trace.text { text += $0 }
        return try JSONDecoder().decode(Trace.self, from: Data(text.utf8)).traceEvents
    }

    /// Bytes that this thread has been given and has not given back.
    private func heldBytes() throws -> Int {
        func counter(_ name: String) throws -> Int {
            Int(try Allocator.read(name, as: UnsafeMutablePointer<UInt64>.self).pointee)
        }
        return try counter("thread.allocatedp") - counter("thread.deallocatedp")
    }

    /// A copy of one thread's spans and a piece of text, however many threads there are and however long the text.
    @Test func writingTakesAThreadsSpansAtMost() throws {
        let spans = 20_000
        let trace = TraceRecorder(threads: 4)
        for (thread, index) in (0..<4).flatMap({ thread in (0..<spans).map { (thread, $0) } }) {
            let time = UInt64(index) * 100_000
            trace.ring(thread).record(
                code: WorkerClock.code(.rollout, index % 2 == 0 ? .decode : .sample), from: time,
                to: time + 90_000)
        }
        let before = try heldBytes()
        var (most, length) = (0, 0)
        try trace.text {
            most = max(most, try heldBytes() - before)
            length += $0.utf8.count
        }
        #expect(length > 4 * spans * 100)
        let copy = spans * MemoryLayout<TraceRing.Span>.stride
        #expect((copy..<copy * 5 / 4).contains(most))
        let folder = FileManager.default.temporaryDirectory.appending(path: "trace-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try trace.write(to: folder.appending(path: "trace.json"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["trace.json"])
    }

    /// Phases, waits and changes of depth take what is counted for them, whichever rings are full.
    @Test(arguments: [(10_000, 3_000, 500), (80_000, 80_000, 80_000)])
    func whatIsKeptIsCounted(spans: Int, waits: Int, depths: Int) {
        let trace = TraceRecorder(threads: 2)
        for ring in [trace.ring(0), trace.ring(1)] {
            for index in 0..<max(spans, waits) {
                let time = UInt64(index) * 100
                if index < spans {
                    ring.record(
                        code: WorkerClock.code(.rollout, index % 2 == 0 ? .decode : .sample), from: time, to: time)
                }
                if index < waits {
                    ring.record(code: WorkerClock.code(.rollout, .synchronize), from: time + 1, to: time + 1)
                }
            }
        }
        for index in 0..<depths { trace.record(queue: "queue", depth: 1, at: UInt64(index)) }
        let counted = TraceRecorder.byteCount(threads: 2, spans: spans, waits: waits, depths: depths)
        var changes = 0
        trace.text { changes += $0.hasPrefix(#"{"name":"queue queue""#) ? 1 : 0 }
        let kept = [trace.ring(0), trace.ring(1)].reduce(0) { $0 + $1.phases().count + $1.waits().count }
        #expect(
            counted == kept * MemoryLayout<TraceRing.Span>.stride + changes * MemoryLayout<TraceRecorder.Depth>.stride)
    }

    @Test func spansAndDepthsAreWritten() async throws {
        let trace = TraceRecorder(threads: 2)
        let executor = ComputeExecutor(threads: 2, pinned: false, trace: trace)
        let queue = BoundedQueue<Int>(name: "odd \"name\"\\\n", capacity: 4, clock: executor.clock)
        await executor.lane(.rollout).run { StallClock.phase(.decode) {} }
        await executor.lane(.learner).run { StallClock.phase(.backward) {} }
        try await queue.send(1)
        _ = try await queue.receive()
        executor.shutdown()
        let events = try decode(trace)
        #expect(events.filter { $0.ph == "M" }.map(\.args.name) == ["core 0", "core 1"])
        let spans = events.filter { $0.ph == "X" }
        #expect(spans.contains { $0.name == "decode" && $0.args.stage == "rollout" })
        #expect(spans.contains { $0.name == "backward" && $0.args.stage == "learning" })
        for thread in 1...2 {
            let own = spans.filter { $0.tid == thread }
            for (earlier, later) in zip(own, own.dropFirst()) {
                #expect((earlier.ts ?? 0) + (earlier.dur ?? 0) <= (later.ts ?? 0) + 0.001)
            }
        }
        let depths = events.filter { $0.ph == "C" }
        #expect(depths.map(\.name) == Array(repeating: "queue odd \"name\"\\\n", count: 2))
        #expect(depths.map(\.args.depth) == [1, 0])
        #expect(trace.droppedSpans == 0)
    }

    @Test func aFullRingKeepsTheLatest() throws {
        let trace = TraceRecorder(threads: 1, spansPerThread: 3, depths: 2)
        for number in 0..<5 as Range<UInt64> {
            trace.ring(0).record(code: Int(number), from: .max - 10, to: .max - 9)
            trace.record(queue: "queue", depth: Int(number), at: .max - 10)
        }
        let events = try decode(trace)
        #expect(events.filter { $0.ph == "X" }.map(\.name) == ["sample", "decompose", "judge"])
        #expect(events.filter { $0.ph == "C" }.map(\.args.depth) == [3, 4])
        #expect(trace.droppedSpans == 2)
    }

    /// A step waits for its team a hundred times; the timeline keeps as many steps as without.
    @Test func aWaitLiesWithinThePhaseThatItInterrupts() {
        let ring = TraceRing(capacity: 3)
        let (decode, sample) = (WorkerClock.code(.rollout, .decode), WorkerClock.code(.rollout, .sample))
        let wait = WorkerClock.code(.rollout, .synchronize)
        let visits: [(code: Int, from: UInt64, to: UInt64)] = [
            (decode, 0, 10), (wait, 10, 12), (decode, 12, 20), (wait, 20, 21), (decode, 21, 30),
            // Between two phases, and in a phase that an idle span follows.
            (wait, 30, 32), (sample, 32, 40), (sample, 45, 50),
        ]
        for visit in visits { ring.record(code: visit.code, from: visit.from, to: visit.to) }
        #expect((ring.phases() + ring.waits()).map(\.code) == [decode, sample, sample, wait, wait, wait])
        #expect((ring.phases() + ring.waits()).map(\.start) == [0, 32, 45, 10, 20, 30])
        #expect((ring.phases() + ring.waits()).map(\.end) == [30, 40, 50, 12, 21, 32])
        #expect(ring.dropped == 0)
        ring.record(code: decode, from: 50, to: 60)
        ring.record(code: wait, from: 60, to: 70)
        // The latest of a full ring, which is no longer its storage's last.
        ring.record(code: decode, from: 70, to: 80)
        #expect((ring.phases() + ring.waits()).map(\.start) == [32, 45, 50, 20, 30, 60])
        #expect((ring.phases() + ring.waits()).map(\.end) == [40, 50, 80, 21, 32, 70])
        #expect(ring.dropped == 2)
    }

    @Test func theFileIsWritten() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "trace-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try TraceRecorder(threads: 1).write(to: file)
        #expect(try JSONDecoder().decode(Trace.self, from: Data(contentsOf: file)).traceEvents.count == 1)
    }
}
