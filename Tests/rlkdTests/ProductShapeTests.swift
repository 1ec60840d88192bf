import Testing

@testable import rlkd

@Suite struct ProductShapeTests {
    /// 1024 operations.
    private let shape = ProductShape(rows: 4, outputs: 8, depth: 16)

    @Test func theFastestRoundIsHeldAgainstThePeakOfItsOwnMoments() {
        let rounds = [
            TimedRound(rate: 1e6, peak: 4.096e9), TimedRound(rate: 3e6, peak: 6.144e9),
            TimedRound(rate: 2e6, peak: 2.048e9),
        ]
        let result = shape.result(.forward, .float32, rounds)
        #expect(result.name == "gemm.f32.forward.4x8x16")
        #expect(result.gigaflops == 3.072)
        #expect(result.fractionOfPeak == 0.5)
    }

    /// What disturbs the measuring of the peak alone would make a product faster than it can be.
    @Test func aRoundAboveItsPeakCountsOnlyWithoutOthers() {
        let above = TimedRound(rate: 4e6, peak: 2.048e9)
        let possible = TimedRound(rate: 3e6, peak: 6.144e9)
        let result = shape.result(.forward, .float32, [above, possible])
        #expect(result.gigaflops == 3.072 && result.fractionOfPeak == 0.5)
        let nearest = TimedRound(rate: 3e6, peak: 2.048e9)
        #expect(shape.result(.forward, .float32, [above, nearest]).fractionOfPeak == 1.5)
    }

    @Test func oneRowIsHeldAgainstReading() {
        let panel = 4.0 * 32 * 16
        let result = shape.vectorResult(
            .float32, [TimedRound(rate: 1000, peak: 4000 * panel), TimedRound(rate: 10, peak: panel)])
        #expect(result.name == "gemv.f32.8x16")
        #expect(result.fractionOfPeak == 0.25)
    }

    @Test func threadsAddUp() {
        let sum = TimedRound(rate: 2, peak: 8) + TimedRound(rate: 3, peak: 4)
        #expect(sum.rate == 5 && sum.peak == 12)
    }
}
