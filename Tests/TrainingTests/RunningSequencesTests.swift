import TestSupport
import Testing
import Trajectories

@testable import Generation
@testable import Models
@testable import Training

@Suite struct RunningSequencesTests {
    private typealias Request = RunningSequences.Request

    /// Full pages of a prompt are there once, what follows once a sample.
    @Test func aPromptIsSharedByItsSamples() {
        let one = RunningSequences([Request(prompt: 20, newTokens: 10, samples: 1)], batch: 4)
        // Two pages of the prompt; the sample goes on in the second, which is enough.
        #expect(one.positions == 32)
        #expect(one.longest == 30)
        let three = RunningSequences([Request(prompt: 20, newTokens: 20, samples: 3)], batch: 4)
        #expect(three.positions == 16 + 3 * 32)
        // The third waits, and with it the prompt's second page.
        let two = RunningSequences([Request(prompt: 20, newTokens: 20, samples: 3)], batch: 2)
        #expect(two.positions == 32 + 2 * 32)
        #expect(one.promptTokens == 20)
    }

    /// A request for no sample takes nothing, wherever it stands.
    @Test func requestsForNothingDoNotCount() {
        let requests = [(20, 3), (7, 1), (50, 2)].map { Request(prompt: $0, newTokens: 9, samples: $1) }
        let none = Request(prompt: 500, newTokens: 500, samples: 0)
        let expected = RunningSequences(requests, batch: 4)
        #expect(expected.promptTokens == 77)
        for place in 0...requests.count {
            let found = RunningSequences(requests[..<place] + [none] + requests[place...], batch: 4)
            #expect(found.positions == expected.positions && found.longest == 59)
            #expect(found.promptTokens == 77 && found.logitRows() == expected.logitRows())
        }
    }

    /// However many could run.
    @Test func noMoreRowsOfLogitsThanSamples() {
        let one = RunningSequences([Request(prompt: 8, newTokens: 8, samples: 1)], batch: 64)
        #expect(one.logitRows() == 1)
    }

    /// While few completions run, a step has room for more prompts than beside all of them.
    @Test(arguments: [600, 1000]) func manyShortPromptsEndInAStep(batch: Int) {
        let requests = Array(repeating: Request(prompt: 1, newTokens: 1, samples: 1), count: batch + 100)
        #expect(RunningSequences(requests, batch: batch).logitRows() >= Self.simulated(requests, batch: batch))
    }

    /// Engines each have a part of the batch and take requests in turn; together they write what the bound says at most.
    @Test(arguments: [(3, 8, 200), (1, 40, 8), (5, 30, 20), (8, 8, 200), (3, 60, 5)])
    func rowsOfLogitsOfSeveralEnginesAreBounded(samples: Int, newTokens: Int, prompt: Int) {
        let requests = Array(repeating: Request(prompt: prompt, newTokens: newTokens, samples: samples), count: 40)
        for engines in [2, 4] {
            for batch in [4, 8, 64] {
                let most = (0..<engines).reduce(0) { sum, engine in
                    let own = stride(from: engine, to: requests.count, by: engines).map { requests[$0] }
                    return sum + Self.simulated(own, batch: batch / engines)
                }
                let bound = RunningSequences(requests, batch: batch).logitRows(engines: engines)
                #expect(bound >= most, "\(engines) engines, batch \(batch)")
            }
        }
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

    /// What an engine writes keys and values to, of requests that are alike: no more than is said, and not much less.
    @Test(arguments: [
        (40, 3, 2, 1, 40), (40, 3, 2, 6, 40), (9, 16, 16, 3, 8), (9, 30, 2, 4, 8), (5, 40, 30, 50, 8),
        (20, 7, 30, 1, 6),
    ])
    func whatAnEngineTouchesIsCounted(
        requests: (count: Int, prompt: Int, newTokens: Int, samples: Int, batch: Int)
    ) throws {
        let shape = ModelConfiguration(
            hiddenSize: 16, intermediateSize: 16, layerCount: 1, attentionHeadCount: 1, keyValueHeadCount: 1,
            vocabularySize: 50, maxPositions: 128)
        let weights = PolicyWeights(try Parameters.randomized(configuration: shape, seed: 1))
        let generator = Generator(
            configuration: shape, batchCapacity: requests.batch, longestSequence: requests.prompt + requests.newTokens)
        for index in 0..<requests.count {
            try generator.submit(
                GenerationRequest(
                    identifier: index, prompt: Array(repeating: 1, count: requests.prompt),
                    sampleCount: requests.samples, maxNewTokens: requests.newTokens, endTokens: [], seed: 1,
                    problemKey: UInt64(index)))
        }
        while generator.hasWork { _ = generator.step(weights) }
        let request = Request(prompt: requests.prompt, newTokens: requests.newTokens, samples: requests.samples)
        let counted = RunningSequences(Array(repeating: request, count: requests.count), batch: requests.batch)
        let touched = 16 * generator.inference.pages.touchedCount
        #expect((touched...touched + 32).contains(counted.positions), "\(counted.positions), \(touched) touched")
    }

    /// Samples that run at once may be of the end of one prompt and the beginning of another.
    @Test func aPromptStaysUntilItsLastSampleEnds() {
        let requests = Array(repeating: Request(prompt: 30, newTokens: 2, samples: 4), count: 10)
        // The last of three has samples left to begin, and so a page beside theirs.
        #expect(RunningSequences(requests, batch: 8).positions == 3 * 16 + 16 + 8 * 16)
        #expect(RunningSequences([], batch: 8).positions == 0)
        #expect(RunningSequences([Request(prompt: 3, newTokens: 1, samples: 0)], batch: 8).positions == 0)
    }

    /// Against the schedule itself, step by step: prompts are taken in while completions are missing and computed as far as a step has
    /// room, completions begin when theirs is, and each takes a row of logits a step until its last token.
    @Test(arguments: [(1, 8, 20), (1, 40, 8), (1, 3, 200), (8, 16, 20), (8, 8, 200), (3, 60, 5), (40, 4, 30)])
    func rowsOfLogitsAreBounded(samples: Int, newTokens: Int, prompt: Int) {
        let requests = Array(repeating: Request(prompt: prompt, newTokens: newTokens, samples: samples), count: 40)
        for batch in [1, 8, 32, 64] {
            let bound = RunningSequences(requests, batch: batch).logitRows()
            let most = Self.simulated(requests, batch: batch)
            #expect(bound >= most, "batch \(batch)")
            #expect(bound <= most + most / 2 + 3, "batch \(batch)")
        }
    }

    /// Prompts and completions of any length, in any order.
    @Test func rowsOfLogitsOfUnequalRequestsAreBounded() {
        let long = Request(prompt: 20_000, newTokens: 4, samples: 1)
        let short = Request(prompt: 1, newTokens: 4, samples: 1)
        #expect(
            RunningSequences(Array(repeating: short, count: 39) + [long], batch: 64).logitRows() == 40)
        var random = SeededGenerator(seed: 5)
        for _ in 0..<200 {
            let longest = [3, 60, 400].randomElement(using: &random) ?? 3
            let requests = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                Request(
                    prompt: .random(in: 1...longest, using: &random), newTokens: .random(in: 1...12, using: &random),
                    samples: .random(in: 1...3, using: &random))
            }
            let batch = [1, 5, 32, 64].randomElement(using: &random) ?? 1
            let bound = RunningSequences(requests, batch: batch).logitRows()
            #expect(bound >= Self.simulated(requests, batch: batch), "\(requests), \(batch)")
        }
    }

    /// The most rows of a step.
    private static func simulated(_ requests: [Request], batch: Int) -> Int {
        struct Prompt {
            var left: Int
            var samples: Int
            var newTokens: Int
        }
        var waiting = requests[...]
        var prompts: [Prompt] = []
        var active: [Int] = []
        var rows = 0
        while !waiting.isEmpty || !prompts.isEmpty || !active.isEmpty {
            for index in prompts.indices where prompts[index].left == 0 {
                while prompts[index].samples > 0 && active.count < batch {
                    prompts[index].samples -= 1
                    active.append(prompts[index].newTokens - 1)
                }
            }
            prompts.removeAll { $0.left == 0 && $0.samples == 0 }
            active.removeAll { $0 == 0 }
            while let next = waiting.first, active.count + prompts.reduce(0, { $0 + $1.samples }) < batch {
                prompts.append(Prompt(left: next.prompt, samples: next.samples, newTokens: next.newTokens))
                waiting.removeFirst()
            }
            var room = batch + 256 - active.count
            var ending = 0
            for index in prompts.indices where prompts[index].left > 0 {
                let count = min(room, prompts[index].left)
                prompts[index].left -= count
                room -= count
                ending += prompts[index].left == 0 && count > 0 ? 1 : 0
            }
            rows = max(rows, active.count + ending)
            active = active.map { $0 - 1 }.filter { $0 > 0 }
        }
        return rows
    }
}

extension KeyValuePages {
    /// Pages that something has been written to.
    fileprivate var touchedCount: Int {
        let floats = memory.count / capacity
        return (0..<capacity).count { page in
            (page * floats..<(page + 1) * floats).contains { memory.pointer[$0] != 0 }
        }
    }
}
