import Foundation
import Testing

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
        try JSONDecoder().decode(Trace.self, from: trace.json()).traceEvents
    }

    /// However many spans there are, writing them takes one text: what runs count by.
    @Test func writingTakesWhatIsCountedForIt() {
        let spans = 20_000
        let trace = TraceRecorder(threads: 1)
        for index in 0..<spans {
            let time = UInt64(index) * 100_000
            trace.ring(0).record(
                code: WorkerClock.code(.rollout, index % 2 == 0 ? .decode : .sample), from: time,
                to: time + 90_000)
        }
        let counted = Double(TraceRecorder.byteCount(threads: 1, spans: spans, depths: 0).writing)
        let size = Double(trace.json().count)
        #expect((0.5...1).contains(size / counted))
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
        #expect(ring.spans.map(\.code) == [decode, sample, sample, wait, wait, wait])
        #expect(ring.spans.map(\.start) == [0, 32, 45, 10, 20, 30])
        #expect(ring.spans.map(\.end) == [30, 40, 50, 12, 21, 32])
        #expect(ring.dropped == 0)
        ring.record(code: decode, from: 50, to: 60)
        ring.record(code: wait, from: 60, to: 70)
        // The latest of a full ring, which is no longer its storage's last.
        ring.record(code: decode, from: 70, to: 80)
        #expect(ring.spans.map(\.start) == [32, 45, 50, 20, 30, 60])
        #expect(ring.spans.map(\.end) == [40, 50, 80, 21, 32, 70])
        #expect(ring.dropped == 2)
    }

    @Test func theFileIsWritten() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "trace-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try TraceRecorder(threads: 1).write(to: file)
        #expect(try JSONDecoder().decode(Trace.self, from: Data(contentsOf: file)).traceEvents.count == 1)
    }
}
