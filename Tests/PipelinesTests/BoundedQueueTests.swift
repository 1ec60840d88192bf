import Testing

@testable import Pipelines

@Suite struct BoundedQueueTests {
    @Test func elementsComeOutInOrder() async throws {
        let queue = BoundedQueue<Int>(name: "numbers", capacity: 4)
        for number in 0..<4 {
            try await queue.send(number)
        }
        #expect(queue.count == 4)
        #expect(queue.snapshot() == [0, 1, 2, 3])
        queue.close()
        var received: [Int] = []
        while let number = try await queue.receive() {
            received.append(number)
        }
        #expect(received == [0, 1, 2, 3])
        #expect(try await queue.receive() == nil)
        await #expect(throws: QueueClosed(queue: "numbers")) { try await queue.send(9) }
    }

    @Test func aFullQueueSuspendsItsProducerUntilAReceive() throws {
        let executor = EmbeddedExecutor(seed: nil)
        let queue = BoundedQueue<Int>(name: "numbers", capacity: 2)
        let sent = Counter()
        let producer = Task(executorPreference: executor) {
            for number in 0..<5 {
                try await queue.send(number)
                sent.add()
            }
        }
        executor.runUntilIdle()
        #expect(sent.value == 2)
        #expect(queue.count == 2)
        #expect(queue.suspended.senders == 1)
        #expect(queue.snapshot() == [0, 1, 2])
        for expected in 0..<5 {
            #expect(try executor.run { try await queue.receive() } == expected)
            #expect(sent.value == min(5, expected + 3))
            #expect(queue.count == min(2, 4 - expected))
        }
        producer.cancel()
    }

    @Test func cancellationTakesAWaitingElementBack() throws {
        let executor = EmbeddedExecutor(seed: nil)
        let queue = BoundedQueue<String>(name: "words", capacity: 1)
        try executor.run { try await queue.send("first") }
        let outcome = Recorder<String>()
        let waiting = Task(executorPreference: executor) {
            do {
                try await queue.send("second")
                outcome.append("sent")
            } catch is CancellationError {
                outcome.append("cancelled")
            }
        }
        executor.runUntilIdle()
        #expect(queue.snapshot() == ["first", "second"])
        waiting.cancel()
        #expect(queue.snapshot() == ["first"])
        executor.runUntilIdle()
        #expect(outcome.events == ["cancelled"])
    }

    @Test func aCancelledTaskNeitherSendsNorReceives() throws {
        let executor = EmbeddedExecutor(seed: nil)
        let queue = BoundedQueue<Int>(name: "numbers", capacity: 2)
        try executor.run { try await queue.send(1) }
        let task = Task(executorPreference: executor) {
            await #expect(throws: CancellationError.self) { try await queue.send(2) }
            await #expect(throws: CancellationError.self) { _ = try await queue.receive() }
        }
        task.cancel()
        executor.runUntilIdle()
        #expect(queue.snapshot() == [1])
    }

    @Test func closingFreesEveryWaiter() throws {
        let executor = EmbeddedExecutor(seed: 3)
        let full = BoundedQueue<Int>(name: "full", capacity: 1, restoring: [1])
        let empty = BoundedQueue<Int>(name: "empty", capacity: 1)
        let refused = Counter()
        let ended = Counter()
        for number in 0..<3 {
            Task(executorPreference: executor) {
                await #expect(throws: QueueClosed(queue: "full")) { try await full.send(number) }
                refused.add()
            }
            Task(executorPreference: executor) {
                if try await empty.receive() == nil {
                    ended.add()
                }
            }
        }
        executor.runUntilIdle()
        #expect(refused.value + ended.value == 0)
        full.close()
        empty.close()
        executor.runUntilIdle()
        #expect(refused.value == 3)
        #expect(ended.value == 3)
        #expect(full.snapshot() == [1])
        #expect(full.isClosed)
    }

    @Test func aRestoredQueueMayBeginAboveItsCapacity() throws {
        let executor = EmbeddedExecutor(seed: nil)
        let queue = BoundedQueue<Int>(name: "numbers", capacity: 2, restoring: [1, 2, 3, 4])
        let sent = Counter()
        Task(executorPreference: executor) {
            try await queue.send(5)
            sent.add()
        }
        executor.runUntilIdle()
        for expected in 1...2 {
            #expect(try executor.run { try await queue.receive() } == expected)
            #expect(sent.value == 0)
        }
        #expect(try executor.run { try await queue.receive() } == 3)
        #expect(sent.value == 1)
        #expect(queue.snapshot() == [4, 5])
    }

    @Test func statisticsMeasureDepthsAndWaits() throws {
        let time = ManualTime()
        let clock = StallClock(threads: 0, now: time.read)
        let executor = EmbeddedExecutor(seed: nil)
        let queue = BoundedQueue<Int>(
            name: "numbers", capacity: 1, producer: .rollout, consumer: .scoring, clock: clock)
        Task(executorPreference: executor) {
            for number in 0..<3 {
                try await queue.send(number)
            }
        }
        executor.runUntilIdle()
        time.advance(milliseconds: 40)
        #expect(abs(queue.statistics.blockedSeconds - 0.04) < 1e-9)
        _ = try executor.run { try await queue.receive() }
        time.advance(milliseconds: 60)
        _ = try executor.run { try await queue.receive() }
        _ = try executor.run { try await queue.receive() }
        Task(executorPreference: executor) { try await queue.receive() }
        executor.runUntilIdle()
        time.advance(milliseconds: 100)
        try executor.run { try await queue.send(3) }
        let statistics = queue.statistics
        #expect(statistics.sends == 4)
        #expect(statistics.receives == 4)
        #expect(statistics.depth == 0)
        #expect(statistics.maxDepth == 1)
        #expect(abs(statistics.meanDepth - 0.5) < 1e-9)
        #expect(abs(statistics.blockedSeconds - 0.1) < 1e-9)
        #expect(abs(statistics.starvedSeconds - 0.1) < 1e-9)
        #expect(statistics.blockedWaits.count == 2)
        // Two significant digits.
        #expect(abs(statistics.blockedWaits.p50 - 0.04) < 0.0005)
        #expect(abs(statistics.blockedWaits.max - 0.06) < 0.0008)
        #expect(abs(statistics.starvedWaits.p99 - 0.1) < 0.0012)
        let report = clock.report()
        #expect(abs(report.waitSeconds(.rollout, .blocked) - 0.1) < 1e-9)
        #expect(abs(report.waitSeconds(.scoring, .starved) - 0.1) < 1e-9)
    }
}
