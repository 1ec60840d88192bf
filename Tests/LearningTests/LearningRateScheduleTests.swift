import Foundation
import Testing

@testable import Learning

@Suite struct LearningRateScheduleTests {
    private func schedule(_ shape: LearningRateSchedule.Shape, warmup: Int = 4, total: Int = 12) -> LearningRateSchedule
    {
        LearningRateSchedule(peak: 0.8, warmupSteps: warmup, totalSteps: total, shape: shape)
    }

    @Test(arguments: LearningRateSchedule.Shape.allCases)
    func theWarmUpIsALineToThePeak(shape: LearningRateSchedule.Shape) {
        #expect((0..<5).map { schedule(shape).rate(at: $0) } == [0.2, 0.4, 0.8 * 0.75, 0.8, 0.8])
    }

    @Test func constantStays() {
        #expect((4..<40).allSatisfy { schedule(.constant).rate(at: $0) == 0.8 })
    }

    @Test func linearFallsByEqualSteps() {
        for step in 4..<12 {
            #expect(abs(schedule(.linear).rate(at: step) - 0.1 * Double(12 - step)) < 1e-12)
        }
    }

    @Test func cosineIsHalfWayAtTheMiddle() {
        #expect(abs(schedule(.cosine).rate(at: 8) - 0.4) < 1e-12)
        #expect(abs(schedule(.cosine).rate(at: 6) - 0.4 * (1 + 0.5.squareRoot())) < 1e-12)
    }

    @Test(arguments: LearningRateSchedule.Shape.allCases)
    func everyUpdateOfTheRunHasARate(shape: LearningRateSchedule.Shape) {
        for (warmup, total) in [(0, 1), (0, 7), (3, 3), (5, 2), (1, 100)] {
            let rates = (0..<total).map { schedule(shape, warmup: warmup, total: total).rate(at: $0) }
            #expect(rates.allSatisfy { $0 > 0 && $0 <= 0.8 })
            #expect(rates.dropFirst(warmup).elementsEqual(rates.dropFirst(warmup).sorted(by: >)))
        }
    }

    @Test func stepsBeyondTheEndStayAtTheEnd() {
        #expect(schedule(.linear).rate(at: 400) == 0)
        #expect(abs(schedule(.cosine).rate(at: 400)) < 1e-15)
    }
}
