import Models
import Testing

@testable import Training

@Suite struct RunningSequencesTests {
    private typealias Request = RunningSequences.Request

    /// Full pages of a prompt are there once, what follows once a sample.
    @Test func aPromptIsSharedByItsSamples() {
        let one = RunningSequences([Request(prompt: 20, newTokens: 10, samples: 1)], batch: 4)
        // Two pages of the prompt; the sample has a copy of the second, which is enough.
        #expect(one.positions == 32 + 16)
        #expect(one.longest == 30)
        let three = RunningSequences([Request(prompt: 20, newTokens: 20, samples: 3)], batch: 4)
        #expect(three.positions == 32 + 3 * 32)
    }

    /// No more than run at once count, and of all the largest: they gather while short ones come and go.
    @Test func onlyTheBatchCounts() {
        let short = Request(prompt: 16, newTokens: 16, samples: 1)
        let long = Request(prompt: 16, newTokens: 160, samples: 1)
        func positions(_ requests: [Request]) -> Int { RunningSequences(requests, batch: 2).positions }
        #expect(positions(Array(repeating: short, count: 9)) == 2 * 32)
        #expect(positions([short, short, long, short, short]) == 32 + 176)
        #expect(positions([long, short, short, long, long, short]) == 2 * 176)
        #expect(positions([long, short, long]) == 2 * 176)
        #expect(RunningSequences([short, short, long], batch: 2).longest == 176)
    }

    /// Samples that run at once may be of the end of one prompt and the beginning of another.
    @Test func aPromptStaysUntilItsLastSampleEnds() {
        let requests = Array(repeating: Request(prompt: 30, newTokens: 2, samples: 4), count: 10)
        #expect(RunningSequences(requests, batch: 8).positions == 3 * 32 + 8 * 16)
        // Eight of ten prompts are taken in, and two of them have all samples running.
        #expect(RunningSequences(requests, batch: 8).waiting == 6 * 32)
        #expect(RunningSequences([], batch: 8).positions == 0)
        #expect(RunningSequences([Request(prompt: 3, newTokens: 1, samples: 0)], batch: 8).positions == 0)
    }
}
