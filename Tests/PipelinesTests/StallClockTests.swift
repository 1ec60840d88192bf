import Foundation
import Memory
import TestSupport
import Testing

@testable import Pipelines

@Suite struct StallClockTests {
    /// Computes for at least so long, waits for the core included; gives the nanoseconds that the thread had of it.
    private static func spin(milliseconds: UInt64) -> Int {
        func used() -> Int {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return time.tv_sec * 1_000_000_000 + time.tv_nsec
        }
        let before = used()
        let end = MonotonicTime.now() + milliseconds * 1_000_000
        while MonotonicTime.now() < end {}
        return used() - before
    }

    /// A little of everything, on every lane.
    ///
    /// - Parameter used: gets the nanoseconds that the threads had of a core for it.
    private static func mixedWork(_ executor: ComputeExecutor, used: Counter) async {
        await withTaskGroup { group in
            for round in 0..<12 {
                group.addTask(executorPreference: executor.lane(Lane.allCases[round % 3])) {
                    StallClock.phase(.forward) { used.add(spin(milliseconds: 2)) }
                    await Task.yield()
                    StallClock.phase(.decode) {
                        used.add(spin(milliseconds: 1))
                        StallClock.phase(.sample) { used.add(spin(milliseconds: 1)) }
                    }
                    StallClock.switchPhase(.publish)
                    used.add(spin(milliseconds: 1))
                }
            }
        }
    }

    @Test func allRowsSumToThreadsTimesWall() async {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        let used = Counter()
        await Self.mixedWork(executor, used: used)
        let during = executor.clock.report()
        // A thread whose job has ended is busy until it parks, and may be kept from that for long.
        var areParked: Bool { (0..<2).allSatisfy { executor.clock.worker($0).code == WorkerClock.idleCode } }
        let patience = Patience()
        while !areParked && !patience.isOver { sched_yield() }
        #expect(areParked)
        let parked = executor.clock.report()
        await executor.clock.waiting(.scoring, for: .external) { _ = Self.spin(milliseconds: 30) }
        executor.shutdown()
        let report = executor.clock.report()
        #expect(during.unexplained < 0.01)
        // The threads have ended: nothing moves, and the rows are exact but for rounding.
        #expect(report.unexplained < 1e-6)
        #expect(report == executor.clock.report())
        for lane in Lane.allCases {
            #expect(report.busySeconds(lane.stage, .forward) >= 4 * 0.002)
            #expect(report.busySeconds(lane.stage, .decode) >= 4 * 0.001)
            #expect(report.busySeconds(lane.stage, .sample) >= 4 * 0.001)
            #expect(report.busySeconds(lane.stage, .publish) >= 4 * 0.001)
        }
        #expect(report.busySeconds(.problemSource) == 0)
        // All that the jobs had of the cores, and no more than there was; the system's two clocks differ by less than a hundredth.
        let seconds = Double(used.value) / 1e9
        #expect(report.cpuSeconds >= seconds)
        #expect(report.cpuSeconds <= 1.01 * report.coreSeconds)
        // A thread is busy at least for as long as it has a core for its jobs.
        #expect(report.busySeconds >= 0.99 * seconds)
        #expect(report.since(during).unexplained < 0.02)
        let later = report.since(parked)
        #expect(later.busy.isEmpty)
        #expect(later.idleSeconds(.scoring, .external) >= 2 * 0.03)
        #expect(later.idleSeconds(.scoring, .external) == report.idleSeconds(.scoring, .external))
        // Parked threads leave the cores to others.
        #expect(later.cpuSeconds < 0.03)
    }

    @Test func laneForTheSourceIsChargedToIt() async {
        let executor = ComputeExecutor(threads: 1, pinned: false)
        await executor.lane(for: .problemSource).run { _ = Self.spin(milliseconds: 2) }
        executor.shutdown()
        #expect(executor.clock.report().busySeconds(.problemSource, .other) >= 0.002)
    }

    @Test func namingAPhaseAllocatesNothing() async {
        let executor = ComputeExecutor(threads: 1, pinned: false)
        defer { executor.shutdown() }
        let (bytes, sum) = await executor.lane(.rollout).run {
            func work() -> Int {
                var sum = 0
                for round in 0..<1000 {
                    sum &+= StallClock.phase(.decode) { round &* sum &+ 1 }
                    StallClock.switchPhase(.sample)
                }
                return sum
            }
            // The first use sets up thread-specific keys.
            _ = work()
            _ = Allocator.threadAllocatedBytes()
            let before = Allocator.threadAllocatedBytes()
            let sum = work()
            return (Allocator.threadAllocatedBytes() - before, sum)
        }
        #expect(bytes == 0)
        #expect(sum != 0)
    }

    @Test func phasesDoNothingElsewhere() throws {
        struct Refusal: Error {}
        #expect(StallClock.phase(.decode) { 7 } == 7)
        StallClock.switchPhase(.judge)
        #expect(throws: Refusal.self) { try StallClock.phase(.forward) { throw Refusal() } }
    }

    /// Time stands still but where the test moves it; both threads are idle all along.
    @Test func aDelayInOneStageAppearsUnderItsCause() throws {
        for (delayed, cause) in [
            (Stage.scoring, WaitCause.external), (.rollout, .awaitingWeights), (.problemSource, .staleness),
        ] {
            let time = ManualTime()
            let clock = StallClock(threads: 2, now: time.read)
            let executor = EmbeddedExecutor(seed: 11)
            let requests = BoundedQueue<Int>(
                name: "requests", capacity: 1, producer: .problemSource, consumer: .rollout, clock: clock)
            let rollouts = BoundedQueue<Int>(
                name: "rollouts", capacity: 1, producer: .rollout, consumer: .scoring, clock: clock)
            let scored = BoundedQueue<Int>(
                name: "scored", capacity: 1, producer: .scoring, consumer: .learning, clock: clock)
            @Sendable func delay(_ stage: Stage) async {
                guard stage == delayed else { return }
                await clock.waiting(stage, for: cause) {
                    // The other stages run as far as they can meanwhile.
                    for _ in 0..<50 {
                        await Task.yield()
                    }
                    time.advance(milliseconds: 10)
                }
            }
            let learned = try executor.run {
                try await withThrowingTaskGroup(of: Int.self) { group in
                    group.addTask {
                        for number in 0..<10 {
                            await delay(.problemSource)
                            try await requests.send(number)
                        }
                        requests.close()
                        return 0
                    }
                    for (stage, input, output) in [(Stage.rollout, requests, rollouts), (.scoring, rollouts, scored)] {
                        group.addTask {
                            while let number = try await input.receive() {
                                await delay(stage)
                                try await output.send(number)
                            }
                            output.close()
                            return 0
                        }
                    }
                    group.addTask {
                        var count = 0
                        while try await scored.receive() != nil {
                            count += 1
                        }
                        return count
                    }
                    return try await group.reduce(0, +)
                }
            }
            #expect(learned == 10)
            let report = clock.report()
            #expect(abs(report.wallSeconds - 0.1) < 1e-9)
            #expect(abs(report.idleSeconds(delayed, cause) - 2 * 0.1) < 1e-9)
            #expect(report.unexplained < 1e-9)
            // The wait shows in the queues behind it, which are not charged for it.
            #expect(report.waitSeconds(.learning, .starved) > 0.05)
            #expect(report.idleSeconds(.learning, .starved) == 0)
        }
    }

    @Test func aSlowStageStarvesTheNext() throws {
        let time = ManualTime()
        let clock = StallClock(threads: 3, now: time.read)
        let executor = EmbeddedExecutor(seed: nil)
        let queue = BoundedQueue<Int>(
            name: "scored", capacity: 4, producer: .scoring, consumer: .learning, clock: clock)
        Task(executorPreference: executor) { try await queue.receive() }
        executor.runUntilIdle()
        // One core scores, in a long job; two have nothing to do.
        clock.unpark(0, code: WorkerClock.code(.scoring, .judge))
        time.advance(milliseconds: 30)
        clock.park(0)
        try executor.run { try await queue.send(1) }
        time.advance(milliseconds: 5)
        let report = clock.report()
        #expect(abs(report.busySeconds(.scoring, .judge) - 0.03) < 1e-9)
        #expect(abs(report.idleSeconds(.learning, .starved) - 0.06) < 1e-9)
        #expect(abs(report.idleSeconds(nil, nil) - 0.015) < 1e-9)
        #expect(report.unexplained < 1e-9)
    }

    @Test func discardedWorkIsARowOfItsOwn() {
        let time = ManualTime()
        let clock = StallClock(threads: 1, now: time.read)
        clock.unpark(0, code: WorkerClock.code(.rollout, .decode))
        time.advance(milliseconds: 50)
        clock.discard(
            DiscardedWork(rollouts: 3, tokens: 40), stage: .rollout, cause: .cutShort, seconds: [(.decode, 0.02)])
        let before = clock.report()
        // More time than was used cannot be thrown away.
        clock.discard(DiscardedWork(tokens: 7), stage: .rollout, cause: .swappedWeights, seconds: [(.prefill, 9)])
        clock.discard(DiscardedWork(groups: 1, tokens: 2), stage: .scoring, cause: .cutShort)
        clock.discard(DiscardedWork(groups: 1, rollouts: 1, tokens: 2), stage: .rollout, cause: .cutShort)
        let report = clock.report()
        #expect(abs(report.busySeconds(.rollout) - 0.03) < 1e-9)
        #expect(abs(report.discardedSeconds - 0.02) < 1e-9)
        #expect(report.unexplained < 1e-9)
        #expect(
            report.discards.map(\.work) == [
                DiscardedWork(tokens: 7, coreSeconds: 9),
                DiscardedWork(groups: 1, rollouts: 4, tokens: 42, coreSeconds: 0.02),
                DiscardedWork(groups: 1, tokens: 2),
            ])
        #expect(report.discards.map(\.stage) == [.rollout, .rollout, .scoring])
        #expect(report.discardedWork == DiscardedWork(groups: 2, rollouts: 4, tokens: 51, coreSeconds: 9.02))
        #expect(
            report.table.contains(
                """
                discarded           40.0 %
                  rollout weights swapped in prefill 7 tokens,
                  rollout cut short 1 groups 4 rollouts 42 tokens,
                  scoring cut short 1 groups 2 tokens

                """))
        // It fits a terminal of 80 columns.
        #expect(report.table.split(separator: "\n").allSatisfy { $0.count < 80 })
        let since = report.since(before)
        #expect(since.discards.map(\.cause) == [.swappedWeights, .cutShort, .cutShort])
        #expect(since.discards[1].work.rollouts == 1)
    }

    @Test func theTableNamesStagesAndCauses() throws {
        let time = ManualTime()
        let clock = StallClock(threads: 2, now: time.read)
        clock.unpark(0, code: WorkerClock.code(.rollout, .decode))
        clock.beginWait(.learning, .starved)
        time.advance(milliseconds: 100)
        clock.endWait(.learning, .starved)
        let report = clock.report()
        let lines = report.table.split(separator: "\n").map(String.init)
        #expect(lines.count == 10)
        #expect(lines[2].hasPrefix("rollout") && lines[2].contains("50.0 %"))
        #expect(lines[3] == "  decode 50.0 %")
        #expect(lines[5].hasPrefix("learning") && lines[5].contains("100.0 %"))
        #expect(lines[6].hasPrefix("idle") && lines[6].contains("50.0 %"))
        #expect(lines[7] == "  learning starved 50.0 %")
        #expect(lines[8].contains("2 threads"))
        let copy = try JSONDecoder().decode(StallReport.self, from: JSONEncoder().encode(report))
        #expect(copy == report)
    }

    @Test func aReaderOnAnotherThreadSeesOneMoment() async {
        let clock = StallClock(threads: 1, now: { 1000 })
        let worker = clock.worker(0)
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let isReading = Flag()
        let ticks = Counter()
        let lastTick = 10_000_000
        await withTaskGroup { group in
            group.addTask(executorPreference: executor.lane(.rollout)) {
                while !isReading.isRaised {}
                var round = 0
                while ticks.value < lastTick {
                    round += 1
                    worker.change(to: round % WorkerClock.busyCodes, at: 1000 + UInt64(round) * 1000)
                    // Time enough for a reading between two changes.
                    for _ in 0..<50 {
                        ticks.add()
                    }
                }
            }
            group.addTask(executorPreference: executor.lane(.rollout)) {
                isReading.raise()
                // Closed spans and the open one make the same whole at every moment; a reading of two moments misses a span.
                let end: UInt64 = 1 << 50
                var nanoseconds = [UInt64](repeating: 0, count: WorkerClock.busyCodes + 1)
                var wrong = 0
                repeat {
                    worker.read(at: end, into: &nanoseconds)
                    wrong += nanoseconds.reduce(0, +) == end - 1000 ? 0 : 1
                } while ticks.value < lastTick
                #expect(wrong == 0)
            }
        }
    }
}
