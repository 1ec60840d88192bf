import Synchronization
import TestSupport
import Testing

@testable import Pipelines

/// The queue under random schedules: every seed is one order of steps, with cancellations and a close at random places.
@Suite struct BoundedQueueScheduleTests {
    struct Item: Hashable, Sendable {
        var producer: Int
        var number: Int
    }

    /// What the tasks saw.
    struct Log {
        var sent: [Item] = []
        var unsent: [Item] = []
        /// By consumer, in its order.
        var received: [[Item]]
    }

    final class Scenario: Sendable {
        let queue: BoundedQueue<Item>
        let log: Mutex<Log>
        let producers: Int
        let consumers: Int
        let items: Int

        init(capacity: Int, producers: Int, consumers: Int, items: Int) {
            queue = BoundedQueue(name: "items", capacity: capacity)
            log = Mutex(Log(received: Array(repeating: [], count: consumers)))
            self.producers = producers
            self.consumers = consumers
            self.items = items
        }

        func produce(_ producer: Int) async {
            for number in 0..<items {
                let item = Item(producer: producer, number: number)
                do {
                    try await queue.send(item)
                    log.withLock { $0.sent.append(item) }
                } catch {
                    log.withLock { $0.unsent.append(item) }
                    if error is QueueClosed { return }
                }
                if Task.isCancelled { return }
            }
        }

        func consume(_ consumer: Int) async {
            while let item = try? await queue.receive() {
                log.withLock { $0.received[consumer].append(item) }
            }
        }

        /// What must hold at every moment: nothing is lost, doubled, or taken out of order.
        func violation() -> String? {
            let snapshot = queue.snapshot()
            let log = log.withLock { $0 }
            let received = log.received.flatMap { $0 }
            if queue.count > queue.capacity { return "over capacity" }
            if Set(received).count != received.count { return "received twice" }
            if Set(snapshot).count != snapshot.count { return "twice in the snapshot" }
            if !Set(received).isDisjoint(with: snapshot) { return "received and still in the snapshot" }
            if !Set(log.unsent).isDisjoint(with: received) { return "received though its send threw" }
            // An element handed to a consumer that has not yet run again is in neither place.
            let missing = Set(log.sent).subtracting(received).subtracting(snapshot)
            if missing.count > consumers { return "lost \(missing)" }
            for line in log.received + [snapshot] {
                for producer in 0..<producers {
                    let numbers = line.filter { $0.producer == producer }.map(\.number)
                    if numbers != numbers.sorted() { return "out of order: \(line)" }
                }
            }
            return nil
        }

        /// What must hold when all tasks have ended.
        func finalViolation() -> String? {
            let log = log.withLock { $0 }
            let received = Set(log.received.flatMap { $0 })
            let left = queue.snapshot()
            if received.union(left) != Set(log.sent) { return "sent \(log.sent), received \(received), left \(left)" }
            return queue.suspended == (0, 0) ? nil : "somebody still waits"
        }
    }

    /// Runs one seed to its end; nil, or what went wrong.
    private func run(seed: UInt64, cancellations: Int, closes: Bool) -> String? {
        var generator = SeededGenerator(seed: seed &* 977)
        let scenario = Scenario(
            capacity: Int.random(in: 1...3, using: &generator), producers: Int.random(in: 1...3, using: &generator),
            consumers: Int.random(in: 1...3, using: &generator), items: Int.random(in: 1...6, using: &generator))
        let executor = EmbeddedExecutor(seed: seed)
        let producers = (0..<scenario.producers).map { index in
            Task(executorPreference: executor) { await scenario.produce(index) }
        }
        let consumers = (0..<scenario.consumers).map { index in
            Task(executorPreference: executor) { await scenario.consume(index) }
        }
        let tasks = producers + consumers
        let expectedSteps = 4 * scenario.producers * scenario.items
        var cancelAt = (0..<cancellations).map { _ in Int.random(in: 0...expectedSteps, using: &generator) }
        let closeAt = closes ? Int.random(in: 0...expectedSteps, using: &generator) : nil
        var step = 0
        repeat {
            while let index = cancelAt.firstIndex(of: step) {
                cancelAt.remove(at: index)
                tasks[Int.random(in: 0..<tasks.count, using: &generator)].cancel()
            }
            if step == closeAt {
                scenario.queue.close()
            }
            if let violation = scenario.violation() {
                return "step \(step): \(violation)"
            }
            step += 1
        } while executor.step()
        scenario.queue.close()
        executor.runUntilIdle()
        return scenario.violation() ?? scenario.finalViolation()
    }

    @Test func everyScheduleKeepsEveryElement() {
        for seed in 0..<1000 as Range<UInt64> {
            if let violation = run(seed: seed, cancellations: 0, closes: false) {
                Issue.record("seed \(seed): \(violation)")
            }
        }
    }

    @Test func cancellationsAndClosingLoseNothing() {
        for seed in 0..<2000 as Range<UInt64> {
            if let violation = run(seed: seed, cancellations: Int(seed % 4), closes: seed % 2 == 0) {
                Issue.record("seed \(seed): \(violation)")
            }
        }
    }

    @Test func aSeedDecidesTheWholeSchedule() throws {
        func order(_ seed: UInt64) throws -> [Item] {
            let scenario = Scenario(capacity: 1, producers: 3, consumers: 1, items: 5)
            try EmbeddedExecutor(seed: seed).run {
                await withTaskGroup { group in
                    group.addTask { await scenario.consume(0) }
                    await withTaskGroup { producers in
                        for index in 0..<3 {
                            producers.addTask { await scenario.produce(index) }
                        }
                    }
                    scenario.queue.close()
                }
            }
            return scenario.log.withLock { $0.received[0] }
        }
        let orders = try (0..<20 as Range<UInt64>).map(order)
        #expect(try orders == (0..<20 as Range<UInt64>).map(order))
        #expect(Set(orders).count > 1)
    }

    @Test func manyThreadsLoseNothing() async {
        let executor = ComputeExecutor(threads: 4, pinned: false)
        defer { executor.shutdown() }
        let scenario = Scenario(capacity: 3, producers: 4, consumers: 4, items: 1000)
        await withTaskGroup { group in
            for index in 0..<4 {
                group.addTask(executorPreference: executor.lane(.scoring)) { await scenario.consume(index) }
            }
            await withTaskGroup { producers in
                for index in 0..<4 {
                    producers.addTask(executorPreference: executor.lane(.rollout)) { await scenario.produce(index) }
                }
            }
            scenario.queue.close()
        }
        #expect(scenario.violation() == nil)
        #expect(scenario.finalViolation() == nil)
        #expect(scenario.log.withLock { $0.sent.count } == 4000)
        let statistics = scenario.queue.statistics
        #expect(statistics.sends == 4000)
        #expect(statistics.receives == 4000)
        #expect(statistics.maxDepth <= 3)
    }

    @Test func manyThreadsLoseNothingUnderCancellation() async {
        let executor = ComputeExecutor(threads: 4, pinned: false)
        defer { executor.shutdown() }
        for _ in 0..<100 {
            let scenario = Scenario(capacity: 2, producers: 3, consumers: 3, items: 20)
            let producers = (0..<3).map { index in
                Task(executorPreference: executor.lane(.rollout)) { await scenario.produce(index) }
            }
            let consumers = (0..<3).map { index in
                Task(executorPreference: executor.lane(.scoring)) { await scenario.consume(index) }
            }
            producers[0].cancel()
            consumers[0].cancel()
            await Task.yield()
            producers[1].cancel()
            consumers[1].cancel()
            for producer in producers {
                await producer.value
            }
            scenario.queue.close()
            for consumer in consumers {
                await consumer.value
            }
            #expect(scenario.violation() == nil)
            #expect(scenario.finalViolation() == nil)
        }
    }

    /// The cancellation comes while the task is on its way to wait. Missed, it would leave the task waiting for ever.
    @Test(.timeLimit(.minutes(30)), arguments: [true, false])
    func aCancellationOnTheWayIsNotMissed(sends: Bool) async {
        let executor = ComputeExecutor(threads: 1, pinned: false)
        defer { executor.shutdown() }
        let queue = BoundedQueue<Int>(name: "numbers", capacity: 1, restoring: sends ? [1] : [])
        for _ in 0..<1500 {
            let isUnderWay = Flag()
            let task = Task(executorPreference: executor.lane(.rollout)) {
                isUnderWay.raise()
                if sends {
                    try await queue.send(2)
                } else {
                    _ = try await queue.receive()
                }
            }
            while !isUnderWay.isRaised {
                await Task.yield()
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        #expect(queue.snapshot() == (sends ? [1] : []))
        #expect(queue.suspended == (0, 0))
    }
}
