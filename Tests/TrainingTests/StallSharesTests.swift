import Testing

@testable import Pipelines
@testable import Training

@Suite struct StallSharesTests {
    /// A stage's share on the progress line is what it computed; together with the waits and the idle time it makes the whole.
    @Test func lookingOutForOneAnotherIsNoWorkOfAStage() {
        var busy = [UInt64](repeating: 0, count: WorkerClock.busyCodes)
        busy[WorkerClock.code(.rollout, .decode)] = 60
        busy[WorkerClock.code(.rollout, .synchronize)] = 15
        busy[WorkerClock.code(.learning, .forward)] = 80
        busy[WorkerClock.code(.learning, .synchronize)] = 5
        var ledger = StallLedger(idleThreads: 1, at: 0)
        ledger.advance(to: 40)
        let report = StallReport(wall: 100, threads: 2, cpu: 160, busy: busy, ledger: ledger)
        #expect(report.unexplained < 1e-12)
        #expect(report.shares() == "gen 30% score 0% learn 40% sync 10% idle 20%")
        #expect(report.shares(isImitation: true) == "source 0% learn 40% sync 10% idle 20%")
    }
}
