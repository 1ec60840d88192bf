import Dispatch
import Foundation
import Glibc
import Memory
import Synchronization
import TestSupport
import Testing

@testable import Pipelines

@Suite(.timeLimit(.minutes(30))) struct TeamProgramTests {
    /// Counts how often each tile ran, and the tiles that ran before an earlier stage had ended.
    private final class Ledger: Sendable {
        let stages: [Int]
        private let ran: [Counter]
        private let ended: [Counter]
        private let run = Counter()
        let early = Counter()

        init(stages: [Int]) {
            self.stages = stages
            ran = (0..<stages.reduce(0, +)).map { _ in Counter() }
            ended = stages.map { _ in Counter() }
        }

        func program(_ work: @escaping @Sendable (_ stage: Int, _ tile: Int) -> Void = { _, _ in }) -> TeamProgram {
            TeamProgram { [self] member in
                var first = 0
                for (stage, tiles) in stages.enumerated() {
                    member.perform(tiles) { tile in
                        let before = 0..<stage
                        if !before.allSatisfy({ ended[$0].value == stages[$0] * (run.value + 1) }) { early.add() }
                        ran[first + tile].add()
                        work(stage, tile)
                        ended[stage].add()
                    }
                    first += tiles
                }
            }
        }

        /// Call it after each run of the program.
        func endRun() { run.add() }

        func everyTileRan(_ times: Int) -> Bool { ran.allSatisfy { $0.value == times } }
    }

    @Test(arguments: [1, 2, 4, 7])
    func stagesFollowOneAnotherAndTilesRunOnce(threads: Int) async {
        let executor = ComputeExecutor(threads: threads, pinned: false)
        defer { executor.shutdown() }
        var random = SeededGenerator(seed: 5)
        for _ in 0..<40 {
            let ledger = Ledger(stages: (0..<30).map { _ in Int.random(in: 0..<9, using: &random) })
            await executor.lane(.rollout).run {
                let program = ledger.program()
                for _ in 0..<5 {
                    program.run(places: threads)
                    ledger.endRun()
                }
            }
            #expect(ledger.everyTileRan(5))
            #expect(ledger.early.value == 0)
        }
    }

    /// The second stage's tiles wait for one another, so the stage is only passed with a thread for each.
    @Test func membersHavePlacesOfTheirOwn() async {
        let executor = ComputeExecutor(threads: 3, pinned: false)
        defer { executor.shutdown() }
        let seen = Recorder<Int>()
        await executor.lane(.rollout).run {
            let arrived = Counter()
            let program = TeamProgram { member in
                let index = member.index
                member.perform(2) { _ in }
                member.perform(3) { _ in
                    seen.append(index)
                    arrived.add()
                    while arrived.value < 3 {}
                }
            }
            program.run(places: 3)
        }
        #expect(seen.events.sorted() == [0, 1, 2])
    }

    @Test func noMoreTakePartThanAreAskedFor() async {
        let executor = ComputeExecutor(threads: 4, pinned: false)
        defer { executor.shutdown() }
        let seen = Recorder<Int>()
        await executor.lane(.rollout).run {
            let arrived = Counter()
            let program = TeamProgram { member in
                let index = member.index
                member.perform(2) { _ in
                    arrived.add()
                    while arrived.value < 2 { sched_yield() }
                }
                member.perform(300) { _ in
                    seen.append(index)
                    sched_yield()
                }
            }
            program.run(places: 4, members: 2)
        }
        #expect(seen.events.count == 300)
        #expect(Set(seen.events).count <= 2)
    }

    /// Of two programs that have work for one more helper each, one has a helper: the next free thread goes to the other.
    @Test func aHelperGoesWhereFewestAre() async {
        let executor = ComputeExecutor(threads: 4, pinned: false)
        defer { executor.shutdown() }
        let lane = executor.lane(.rollout)
        let (inFirst, inSecond, secondEnded) = (Counter(), Counter(), Flag())
        let (held, mayBegin, mayHelp) = (Counter(), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let second = Task(executorPreference: lane) {
            held.add()
            mayBegin.wait()
            let wasAlone = Flag()
            TeamProgram { member in
                member.perform(2) { _ in
                    inSecond.add()
                    let patience = Patience()
                    while inSecond.value < 2 && !patience.isOver { sched_yield() }
                    if inSecond.value < 2 { wasAlone.raise() }
                }
            }.run(places: 4)
            secondEnded.raise()
            return wasAlone.isRaised
        }
        let free = Task(executorPreference: lane) {
            held.add()
            mayHelp.wait()
        }
        while held.value < 2 { await Task.yield() }
        // Of three tiles, one is left while two threads wait in the others.
        let first = Task(executorPreference: lane) {
            TeamProgram { member in
                member.perform(3) { _ in
                    inFirst.add()
                    // The second ends in any case, and before these do.
                    while !secondEnded.isRaised { sched_yield() }
                }
            }.run(places: 4)
        }
        while inFirst.value < 2 { await Task.yield() }
        mayBegin.signal()
        while inSecond.value < 1 { await Task.yield() }
        mayHelp.signal()
        #expect(await !second.value)
        await first.value
        await free.value
        #expect(inFirst.value == 3)
    }

    @Test func withoutRoomForAllThreadsItRunsAlone() async {
        let executor = ComputeExecutor(threads: 3, pinned: false)
        defer { executor.shutdown() }
        let names = Recorder<String>()
        await executor.lane(.rollout).run {
            let program = TeamProgram { member in
                #expect(member.index == 0 && member.places == 1)
                member.perform(50) { _ in names.append(PresentThread.name) }
            }
            program.run(places: 2)
        }
        #expect(names.events.count == 50)
        #expect(Set(names.events).count == 1)
    }

    @Test func elsewhereItRunsAloneAndInOrder() {
        let order = Recorder<Int>()
        TeamProgram { member in
            member.perform(3) { order.append($0) }
            member.perform(2) { order.append(10 + $0) }
        }.run(places: 8)
        #expect(order.events == [0, 1, 2, 10, 11])
    }

    @Test func theCallerCanFinishAlone() async {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let release = DispatchSemaphore(value: 0)
        let held = Flag()
        let holder = Task(executorPreference: executor.lane(.learner)) {
            held.raise()
            release.wait()
        }
        while !held.isRaised { await Task.yield() }
        let ledger = Ledger(stages: [5, 0, 1, 40])
        await executor.lane(.rollout).run { ledger.program().run(places: 2) }
        #expect(ledger.everyTileRan(1))
        release.signal()
        await holder.value
    }

    /// A helper that a higher lane calls away in the middle leaves the rest to the caller.
    @Test func aHelperGoesBackToAHigherLane() async {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let learned = Flag()
        let called = Flag()
        let ledger = Ledger(stages: [2, 60, 3])
        let caller = Recorder<String>()
        await executor.lane(.rollout).run {
            caller.append(PresentThread.name)
            ledger.program { stage, _ in
                guard stage == 1 else { return }
                if caller.events == [PresentThread.name] {
                    // The caller stays in its tile until the learner's job has run on the other thread.
                    while !learned.isRaised {}
                } else if !called.isRaised {
                    called.raise()
                    Task(executorPreference: executor.lane(.learner)) { learned.raise() }
                }
            }.run(places: 2)
        }
        #expect(ledger.everyTileRan(1))
        #expect(ledger.early.value == 0)
    }

    @Test func programsOfManyJobsMayRunAtOnce() async {
        let executor = ComputeExecutor(threads: 4, pinned: false)
        defer { executor.shutdown() }
        let ledgers = (0..<24).map { Ledger(stages: [3, 1 + $0 % 5, 8, 0, 2]) }
        await withTaskGroup { group in
            for (index, ledger) in ledgers.enumerated() {
                group.addTask(executorPreference: executor.lane(Lane.allCases[index % 3])) {
                    let program = ledger.program()
                    for _ in 0..<10 {
                        program.run(places: 4)
                        ledger.endRun()
                        await Task.yield()
                    }
                }
            }
        }
        #expect(ledgers.allSatisfy { $0.everyTileRan(10) && $0.early.value == 0 })
    }

    /// Runs a program on two threads, each of which runs part of it; `tiles` are those of a stage in the member given.
    private static func run(stages: Int, tiles: @escaping @Sendable (_ stage: Int, _ member: Int) -> Int) async {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        await executor.lane(.rollout).run {
            let arrived = Counter()
            TeamProgram { member in
                let index = member.index
                member.perform(2) { _ in
                    arrived.add()
                    while arrived.value < 2 { sched_yield() }
                }
                for stage in 0..<stages { member.perform(tiles(stage, index)) { _ in } }
            }.run(places: 2)
        }
    }

    /// The first two differ in sum, the third does not; in the last, a member would wait for tiles that nobody has.
    @Test func membersThatDisagreeAboutTilesTrap() async {
        await Self.run(stages: 3) { stage, _ in [4, 1, 9][stage] }
        let ends = [
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                await Self.run(stages: 1) { _, member in 4 + member }
            },
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                await Self.run(stages: 2) { stage, member in stage == 0 ? 4 : 4 - 4 * member }
            },
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                await Self.run(stages: 2) { stage, member in [3, 5][(stage + member) % 2] }
            },
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                await Self.run(stages: 3) { stage, member in stage == 1 ? 2 + 3 * member : 2 }
            },
        ]
        for end in ends {
            let said = String(decoding: end?.standardErrorContent ?? [], as: UTF8.self)
            #expect(said.contains("perform with other numbers of tiles in one member than in another"))
        }
    }

    @Test func aKeptProgramAllocatesNothing() async {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let bytes = await executor.lane(.rollout).run {
            let sum = Counter()
            let program = TeamProgram { member in
                member.perform(7) { _ in sum.add() }
                member.perform(over: 100) { sum.add($0.count) }
            }
            program.run(places: 2)
            _ = Allocator.threadAllocatedBytes()
            let before = Allocator.threadAllocatedBytes()
            for _ in 0..<100 { program.run(places: 2) }
            return Allocator.threadAllocatedBytes() - before
        }
        #expect(bytes == 0)
    }

    @Test(arguments: [(0, 1, Int.max), (1, 1, Int.max), (64, 4, 16), (17, 4, 16), (1000, 1, 16), (5, 8, 9)])
    func rangesCoverAllOnce(count: Int, smallest: Int, largest: Int) {
        var member = TeamMember()
        var next = 0
        member.perform(over: count, atLeast: smallest, atMost: largest) { part in
            #expect(part.lowerBound == next && !part.isEmpty && part.count <= largest)
            next = part.upperBound
        }
        #expect(next == count)
    }
}
