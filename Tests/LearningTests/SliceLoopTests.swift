import Kernels
import Memory
import Pipelines
import Testing

@testable import Learning

@Suite(.timeLimit(.minutes(30))) struct SliceLoopTests {
    /// More than two slices, and not a whole number of them.
    private let count = 200_003

    private func loops(_ body: (SliceLoop) throws -> Void) rethrows {
        try body(SliceLoop(EmbeddedExecutor(seed: nil)))
        for threads in [1, 2, 4] {
            let executor = ComputeExecutor(threads: threads, pinned: false)
            defer { executor.shutdown() }
            try body(SliceLoop(executor.lane(.learner)))
        }
    }

    @Test func everyElementIsVisitedOnce() {
        loops { loop in
            for count in [0, 1, 65_536, 65_537, count] {
                let visits = AlignedBuffer<Int32>(count: count)
                loop.perform(over: count) { range in
                    for index in range { visits.pointer[index] += 1 }
                }
                #expect(visits.span.allSatisfy { $0 == 1 })
            }
        }
    }

    @Test func sumsAreTheSameBitsWhateverTheThreads() {
        let values = AlignedBuffer<Float>(count: count)
        for index in 0..<count { values.pointer[index] = Float(index % 977) * 0.013 - 5 }
        let exact = values.span.reduce(0) { $0 + Double($1) * Double($1) }
        var first: Double?
        loops { loop in
            let sum = loop.sum(over: count) { range in
                Elementwise.sumOfSquares(values.pointer + range.lowerBound, count: range.count)
            }
            #expect(abs(sum / exact - 1) < 1e-6)
            #expect(first == nil || first == sum)
            first = sum
        }
    }
}
