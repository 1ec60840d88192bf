import TestSupport
import Testing

@testable import Pipelines

@Suite struct StallLedgerTests {
    private func wait(_ stage: Stage, _ cause: WaitCause) -> StallLedger.Wait {
        StallLedger.Wait(stage: stage, cause: cause)
    }

    private func totalIdle(_ ledger: StallLedger) -> UInt64 {
        StallLedger.Wait.all.reduce(ledger.idleWithoutCause) { $0 + ledger.idleNanoseconds($1) }
    }

    @Test func idleTimeWithoutAWaitHasNoCause() {
        var ledger = StallLedger(idleThreads: 3, at: 100)
        ledger.advance(to: 150)
        #expect(ledger.idleWithoutCause == 150)
        ledger.unpark(at: 160)
        ledger.advance(to: 170)
        #expect(ledger.idleWithoutCause == 200)
    }

    @Test func idleTimeIsSplitOverTheWaitsOfItsSpan() {
        var ledger = StallLedger(idleThreads: 2, at: 0)
        ledger.begin(wait(.learning, .starved), at: 10)
        ledger.begin(wait(.rollout, .blocked), at: 20)
        // A second worker of the same stage adds no share.
        ledger.begin(wait(.rollout, .blocked), at: 20)
        ledger.end(wait(.learning, .starved), at: 40)
        ledger.end(wait(.rollout, .blocked), at: 50)
        ledger.end(wait(.rollout, .blocked), at: 60)
        ledger.advance(to: 70)
        #expect(ledger.idleWithoutCause == 20 + 20)
        #expect(ledger.idleNanoseconds(wait(.learning, .starved)) == 20 + 20)
        #expect(ledger.idleNanoseconds(wait(.rollout, .blocked)) == 20 + 20 + 20)
        #expect(ledger.waitingNanoseconds(wait(.rollout, .blocked)) == 2 * 30 + 10)
        #expect(ledger.anyWaitingNanoseconds(wait(.rollout, .blocked)) == 40)
    }

    @Test func aRootCauseComesBeforeTheQueuesAroundIt() {
        var ledger = StallLedger(idleThreads: 1, at: 0)
        ledger.begin(wait(.learning, .starved), at: 0)
        ledger.begin(wait(.scoring, .external), at: 10)
        ledger.begin(wait(.rollout, .blocked), at: 20)
        ledger.end(wait(.scoring, .external), at: 50)
        ledger.advance(to: 60)
        #expect(ledger.idleNanoseconds(wait(.scoring, .external)) == 40)
        #expect(ledger.idleNanoseconds(wait(.learning, .starved)) == 10 + 5)
        #expect(ledger.idleNanoseconds(wait(.rollout, .blocked)) == 5)
        #expect(ledger.waitingNanoseconds(wait(.learning, .starved)) == 60)
    }

    @Test func nothingIsLostInAnySequence() {
        for seed in 0..<200 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var ledger = StallLedger(idleThreads: 5, at: 0)
            var expected: UInt64 = 0
            var now: UInt64 = 0
            var idle = 5
            var open: [StallLedger.Wait] = []
            for _ in 0..<300 {
                let span = UInt64.random(in: 0...100, using: &generator)
                now += span
                expected += span * UInt64(idle)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0 where idle > 0:
                    ledger.unpark(at: now)
                    idle -= 1
                case 1 where idle < 5:
                    ledger.park(at: now)
                    idle += 1
                case 2:
                    let wait = StallLedger.Wait.all.randomElement(using: &generator) ?? StallLedger.Wait.all[0]
                    ledger.begin(wait, at: now)
                    open.append(wait)
                case _ where !open.isEmpty:
                    ledger.end(open.remove(at: Int.random(in: 0..<open.count, using: &generator)), at: now)
                default: ledger.advance(to: now)
                }
            }
            #expect(totalIdle(ledger) == expected)
        }
    }
}
