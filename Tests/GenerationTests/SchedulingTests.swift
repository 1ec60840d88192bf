import Models
import TestSupport
import Testing
import Trajectories

@testable import Generation

/// Who runs when, and what of the pages for keys and values each has meanwhile.
@Suite struct SchedulingTests {
    private static let context = 96

    /// Requests that all end by length.
    struct Requests: CustomTestStringConvertible, Sendable {
        var count: Int
        var prompt: Int
        var newTokens: Int
        var samples = 1
        var batch: Int

        var testDescription: String {
            "\(count) prompts of \(prompt), \(newTokens) new, \(samples) samples, batch \(batch)"
        }

        var all: [GenerationRequest] {
            (0..<count).map { SchedulingTests.request($0, prompt: prompt, newTokens: newTokens, samples: samples) }
        }

        func generator(_ weights: PolicyWeights) -> Generator {
            Generator(
                configuration: weights.configuration, batchCapacity: batch, longestSequence: prompt + newTokens)
        }
    }

    private static func request(
        _ identifier: Int, prompt: Int, newTokens: Int, samples: Int, endTokens: [Int32] = []
    ) -> GenerationRequest {
        GenerationRequest(
            identifier: identifier, prompt: (0..<prompt).map { Int32(($0 * 7 + identifier) % 53) },
            sampleCount: samples, maxNewTokens: newTokens, endTokens: endTokens, seed: 11,
            problemKey: UInt64(identifier))
    }

    private static func weights() throws -> PolicyWeights {
        PolicyWeights(try TestModel.parameters(maxPositions: context))
    }

    /// What each step finishes until all is; every step computes rows or ends a completion.
    private static func steps(_ generator: Generator, _ weights: PolicyWeights) throws -> [[Completion]] {
        var steps: [[Completion]] = []
        while generator.hasWork {
            let finished = generator.step(weights)
            try #require(!finished.isEmpty || generator.inference.rowCount > 0, "the engine stands still")
            steps.append(finished)
        }
        return steps
    }

    private static func random(_ count: Int, using random: inout SeededGenerator) -> [GenerationRequest] {
        let longestPrompt = [2, 17, 60].randomElement(using: &random) ?? 2
        let mostTokens = [2, 18, 36].randomElement(using: &random) ?? 2
        return (0..<count).map { index in
            request(
                index, prompt: .random(in: 1...longestPrompt, using: &random),
                newTokens: .random(in: 1...mostTokens, using: &random), samples: .random(in: 1...7, using: &random),
                endTokens: [2])
        }
    }

    /// Of prompts that fit a step, as many completions as the batch has room for run in the next one. However little of a page
    /// each needs, and whether they share prompts or not.
    @Test(arguments: [
        Requests(count: 40, prompt: 3, newTokens: 3, batch: 40),
        Requests(count: 60, prompt: 2, newTokens: 3, batch: 40),
        Requests(count: 9, prompt: 3, newTokens: 3, samples: 6, batch: 40),
        Requests(count: 40, prompt: 3, newTokens: 14, samples: 2, batch: 40),
        Requests(count: 10, prompt: 16, newTokens: 4, samples: 3, batch: 20),
        Requests(count: 10, prompt: 17, newTokens: 16, samples: 3, batch: 10),
        Requests(count: 1, prompt: 1, newTokens: 3, samples: 50, batch: 7),
        Requests(count: 2, prompt: 1, newTokens: 3, batch: 1),
    ])
    func shortSequencesFillTheBatch(requests: Requests) throws {
        let weights = try Self.weights()
        let generator = requests.generator(weights)
        for request in requests.all { try generator.submit(request) }
        _ = generator.step(weights)
        #expect(generator.activeCount == 0)
        _ = generator.step(weights)
        #expect(generator.activeCount == requests.batch)
    }

    /// A batch of the shortest completions takes a step for its prompts and one for each token after the first.
    @Test(arguments: [1, 2]) func shortCompletionsFollowOneAnother(newTokens: Int) throws {
        let weights = try Self.weights()
        let requests = Requests(count: 300, prompt: 2, newTokens: newTokens, batch: 100)
        let generator = requests.generator(weights)
        for request in requests.all { try generator.submit(request) }
        #expect(
            try Self.steps(generator, weights).map(\.count)
                == (newTokens == 1 ? [0, 100, 100, 100] : [0, 100, 0, 100, 0, 100]))
    }

    /// With ten times the pages, everything happens in the same steps.
    @Test func pagesKeepNoCompletionFromRunning() throws {
        let weights = try Self.weights()
        var random = SeededGenerator(seed: 3)
        for _ in 0..<40 {
            let requests = Self.random(12, using: &random)
            let longest = requests.map { $0.prompt.count + $0.maxNewTokens }.max()
            let batch = [1, 3, 8, 20].randomElement(using: &random) ?? 1
            let rows = [5, 40, 256].randomElement(using: &random)
            let steps = try [nil, 10 * (batch + 1) * Self.context].map { positions in
                let generator = Generator(
                    configuration: weights.configuration, batchCapacity: batch, longestSequence: longest,
                    prefillRows: rows, positionCapacity: positions)
                for request in requests { try generator.submit(request) }
                return try Self.steps(generator, weights)
            }
            #expect(steps[0] == steps[1], "\(requests), batch \(batch)")
        }
    }

    /// With the fewest pages there is always something that can go on, and in the end every page is free.
    @Test func theSmallestPoolNeverStandsStill() throws {
        let weights = try Self.weights()
        var random = SeededGenerator(seed: 4)
        for _ in 0..<40 {
            let requests = Self.random(12, using: &random)
            let longest = requests.map { $0.prompt.count + $0.maxNewTokens }.max()
            let generator = Generator(
                configuration: weights.configuration, batchCapacity: [1, 3, 20].randomElement(using: &random) ?? 1,
                longestSequence: longest, prefillRows: [5, 256].randomElement(using: &random), positionCapacity: 1)
            for request in requests { try generator.submit(request) }
            let completions = try Self.steps(generator, weights).joined()
            #expect(completions.count == requests.reduce(0) { $0 + $1.sampleCount })
            #expect(generator.inference.pages.freeCount == generator.inference.pages.capacity)
        }
    }

    /// Whenever all work is dropped, with weights that change in the middle of prompts and completions, every page is free, and what
    /// follows is what a new engine gives.
    @Test(arguments: [1, 3, 20], [1, nil]) func pagesComeBack(batch: Int, positions: Int?) throws {
        let parameters = try TestModel.parameters(maxPositions: Self.context)
        let versions = (0..<3).map { PolicyWeights(parameters, version: PolicyVersion($0)) }
        var random = SeededGenerator(seed: 5)
        let requests = [(1, 2, 3), (17, 9, 2), (40, 20, 4), (16, 16, 5), (3, 1, 2), (31, 3, 1)].enumerated().map {
            Self.request($0, prompt: $1.0, newTokens: $1.1, samples: $1.2)
        }
        func generator() -> Generator {
            Generator(
                configuration: parameters.configuration, batchCapacity: batch, longestSequence: 60, prefillRows: 7,
                positionCapacity: positions)
        }
        func run(_ generator: Generator) throws -> [[Completion]] {
            for request in requests { try generator.submit(request) }
            return try Self.steps(generator, versions[0])
        }
        let expected = try run(generator())
        let used = generator()
        for steps in 0..<expected.count + 6 {
            for request in requests { try used.submit(request) }
            var version = 0
            for _ in 0..<steps where used.hasWork {
                version = min(2, version + Int.random(in: 0...4, using: &random) / 4)
                _ = used.step(versions[version])
            }
            used.removeAll()
            #expect(!used.hasWork && used.load == 0)
            try #require(used.inference.pages.freeCount == used.inference.pages.capacity, "after \(steps) steps")
        }
        #expect(try run(used) == expected)
        #expect(used.inference.pages.freeCount == used.inference.pages.capacity)
    }
}
