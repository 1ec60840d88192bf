import Foundation
import Generation
import Models
import Pipelines
import StructureRewards
import Synchronization
import Testing
import Tokenizers
import Trajectories

@testable import Training

@Suite struct PassAtKTests {
    /// Over all choices of k of the samples.
    private func bruteForce(samples: Int, correct: Int, k: Int) -> Double {
        var hits = 0
        var all = 0
        for chosen in 0..<(1 << samples) where chosen.nonzeroBitCount == k {
            all += 1
            hits += chosen & ((1 << correct) - 1) != 0 ? 1 : 0
        }
        return Double(hits) / Double(all)
    }

    @Test func theEstimateIsTheShareOfAllChoices() {
        for samples in 1...11 {
            for correct in 0...samples {
                for k in 1...samples {
                    let estimate = EvaluationResult.passAtK(samples: samples, correct: correct, k: k)
                    #expect(abs(estimate - bruteForce(samples: samples, correct: correct, k: k)) < 1e-12)
                }
            }
        }
    }

    @Test func fewerSamplesThanAskedForAreAllTaken() {
        #expect(EvaluationResult.passAtK(samples: 3, correct: 1, k: 8) == 1)
        #expect(EvaluationResult.passAtK(samples: 3, correct: 0, k: 8) == 0)
        #expect(EvaluationResult.passAtK(samples: 0, correct: 0, k: 8) == 0)
    }
}

@Suite(.timeLimit(.minutes(30))) struct EvaluatorTests {
    /// So many steps as the text has letters a, all those of the teacher's first steps.
    private struct LetterDecomposer: Decomposer {
        func structure(of text: String, question: String?) async throws -> Structure {
            EvaluatorTests.structure(steps: text.count { $0 == "a" })
        }
    }

    private struct LetterVerifier: OutcomeVerifier {
        func isCorrect(_ text: String, for problem: Problem) -> Bool { text.count { $0 == "a" } > 1 }
        func isWellFormed(_ text: String, for problem: Problem) -> Bool { text.count { $0 == "b" } < 2 }
    }

    private static func structure(steps: Int) -> Structure {
        Structure(steps: (0..<steps).map { Step(metaReasoning: "\($0)", subProblem: "s", answer: "1") })
    }

    private let tokenizer: Tokenizer
    private let weights: PolicyWeights
    private let set: TestSet
    private let evaluator: Evaluator

    init() throws {
        tokenizer = try Tokenizer.closed(symbols: ["a", "b", "c", "d"], beginning: "<s>", end: "</s>")
        weights = PolicyWeights(
            try Parameters.randomized(
                configuration: ModelConfiguration(
                    hiddenSize: 16, intermediateSize: 24, layerCount: 1, attentionHeadCount: 2, keyValueHeadCount: 1,
                    vocabularySize: tokenizer.vocabularySize, maxPositions: 32), seed: 4, deviation: 0.2))
        set = TestSet(
            name: "same",
            problems: try (0..<17).map { [tokenizer] index in
                let problem = Problem(
                    id: "t\(index)", question: String("abcdabdc".prefix(1 + index % 8)), answer: nil,
                    // Sevenths, elevenths, thirteenths: their sums depend on the order in the last bits.
                    traces: [TeacherTrace(text: "", structure: Self.structure(steps: [7, 11, 13][index % 3]))])
                return PreparedProblem(
                    problem: problem, prompt: try tokenizer.encode(problem.question, addSpecialTokens: true),
                    maxNewTokens: 6 + index % 5, maxNewTeacherTokens: 18, demonstration: nil)
            })
        evaluator = Evaluator(
            tokenizer: tokenizer,
            scorer: Scorer(
                studentDecomposer: LetterDecomposer(), structureReward: StructureReward(judge: ExactJudge()),
                verifier: LetterVerifier()),
            samples: 5, temperature: 0.8, seed: 6, endTokens: [1], batchCapacity: 3)
    }

    @Test func threadsAndBatchesLeaveNoTrace() async throws {
        var first: EvaluationResult?
        for (threads, batch) in [(1, 1), (1, 64), (2, 3), (3, 5), (5, 2), (20, 7)] {
            let executor = ComputeExecutor(threads: threads, pinned: false)
            defer { executor.shutdown() }
            var evaluator = evaluator
            evaluator.batchCapacity = batch
            let result = try await evaluator.evaluate(weights, on: set, imitatingTeacher: false, executor: executor)
            if let first {
                #expect(result == first)
            } else {
                first = result
            }
        }
    }

    @Test func everyCompletionIsCountedOnTheWay() async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let counts = Mutex<[Int]>([])
        var evaluator = evaluator
        evaluator.progress = { count in counts.withLock { $0.append(count) } }
        _ = try await evaluator.evaluate(weights, on: set, imitatingTeacher: false, executor: executor)
        let told = counts.withLock { $0 }
        #expect(told.reduce(0, +) == evaluator.completions(of: set))
        #expect(told.count > 2 && !told.contains(0))
    }

    /// A model that gives no numbers is known by its first completion that ends, not when the last has.
    @Test func noNumbersEndTheEvaluationAtOnce() async throws {
        let executor = ComputeExecutor(threads: 1, pinned: false)
        defer { executor.shutdown() }
        let parameters = try Parameters.randomized(configuration: weights.configuration, seed: 4)
        for entry in try ParameterLayout(weights.configuration).entries where entry.name.contains("proj") {
            for index in entry.offset..<entry.offset + entry.count { parameters.pointer[index] *= 1e30 }
        }
        let counts = Mutex<[Int]>([])
        var evaluator = evaluator
        evaluator.progress = { count in counts.withLock { $0.append(count) } }
        do {
            _ = try await evaluator.evaluate(
                PolicyWeights(parameters), on: set, imitatingTeacher: false, executor: executor)
            Issue.record("a score of no numbers")
        } catch let error as NonFiniteEvaluation {
            #expect(set.problems.contains { $0.problem.id == error.problem })
        }
        #expect(counts.withLock { $0.isEmpty })
    }

    @Test(arguments: [true, false])
    func theFiguresAreThoseOfTheCompletions(imitatingTeacher: Bool) async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let result = try await evaluator.evaluate(
            weights, on: set, imitatingTeacher: imitatingTeacher, executor: executor)
        var accuracy = 0.0
        var passAt1 = 0.0
        var passAt8 = 0.0
        var structure = 0.0
        var wellFormed = 0.0
        for prepared in set.problems {
            func texts(samples: Int, temperature: Float) throws -> [String] {
                let generator = Generator(configuration: weights.configuration, batchCapacity: 1)
                try generator.submit(
                    GenerationRequest(
                        identifier: 0, prompt: tokenizer.encode(prepared.problem.question, addSpecialTokens: true),
                        sampleCount: samples, maxNewTokens: imitatingTeacher ? 18 : prepared.maxNewTokens,
                        sampling: SamplingParameters(temperature: temperature), endTokens: [1], seed: 6,
                        problemKey: prepared.problem.key))
                var texts: [String] = []
                while generator.hasWork {
                    texts += try generator.step(weights).map {
                        try tokenizer.decode($0.tokens, skipSpecialTokens: true)
                    }
                }
                return texts
            }
            let verifier = LetterVerifier()
            let teacher = try #require(prepared.problem.traces[0].structure).steps.count
            accuracy += verifier.isCorrect(try texts(samples: 1, temperature: 0)[0], for: prepared.problem) ? 1 : 0
            let sampled = try texts(samples: 5, temperature: 0.8)
            let correct = sampled.count { verifier.isCorrect($0, for: prepared.problem) }
            passAt1 += Double(correct) / 5
            passAt8 += correct > 0 ? 1 : 0
            for text in sampled {
                structure += Double(min(teacher, text.count { $0 == "a" })) / Double(teacher) / 5
                wellFormed += verifier.isWellFormed(text, for: prepared.problem) ? 0.2 : 0
            }
        }
        #expect(result.problems == 17)
        #expect(abs(result.accuracy - accuracy / 17) < 1e-12)
        let (rate, structureRate) = (try #require(result.passAt1), try #require(result.structure))
        #expect(abs(rate - passAt1 / 17) < 1e-12)
        #expect(abs(try #require(result.passAt8) - passAt8 / 17) < 1e-12)
        #expect(abs(structureRate - structure / 17) < 1e-12)
        #expect(abs(try #require(result.wellFormed) - wellFormed / 17) < 1e-12)
        #expect(rate > 0 && rate < 1)
        #expect(structureRate > 0 && structureRate < 1)
    }

    @Test func withoutSamplesThereIsTheGreedyFigure() async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        var evaluator = evaluator
        let sampled = try await evaluator.evaluate(weights, on: set, imitatingTeacher: false, executor: executor)
        evaluator.samples = 0
        let greedy = try await evaluator.evaluate(weights, on: set, imitatingTeacher: false, executor: executor)
        #expect(greedy.accuracy == sampled.accuracy)
        #expect([greedy.passAt1, greedy.passAt8, greedy.structure, greedy.wellFormed] == [nil, nil, nil, nil])
        var state = RunState()
        state.results = ["base": ["same": greedy]]
        let row = Summary(state, dropped: 0, threads: 1).table(samples: 0).split(separator: "\n")[1]
        #expect(row.split(separator: " ").dropFirst(3).map(String.init) == ["–", "–", "–", "–", "17"])
    }
}

@Suite struct SummaryTests {
    @Test func theTableHasARowForEachArmAndTest() throws {
        var state = RunState()
        func result(_ value: Double) -> EvaluationResult {
            EvaluationResult(
                accuracy: value, passAt1: value / 2, passAt8: 1, structure: 0, wellFormed: 0.25, structureFailures: 0,
                problems: 12)
        }
        state.results = ["rlkd": ["same": result(0.5), "larger": result(0.25)], "base": ["same": result(0.125)]]
        state.wallSeconds = 9
        let summary = Summary(state, dropped: 3, threads: 2)
        let rows = summary.table(samples: 9).split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(rows.count == 4)
        #expect(rows[0] == ["arm", "test", "greedy", "pass@1", "pass@8", "structure", "well-formed", "problems"])
        #expect(summary.table(samples: 2).contains("pass@1  pass@2  structure"))
        #expect(rows[1] == ["base", "same", "0.125", "0.062", "1.000", "0.000", "0.250", "12"])
        #expect(rows[2].prefix(2) == ["rlkd", "same"])
        #expect(rows[3].prefix(2) == ["rlkd", "larger"])
        let object = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(summary)) as? [String: Any])
        let arms = try #require(object["arms"] as? [String: [String: [String: Double]]])
        #expect(arms["rlkd"]?["same"]?["accuracy"] == 0.5)
        let names = Set(try #require(arms["base"]?["same"]).keys)
        #expect(names.isSuperset(of: ["accuracy", "passAt1", "passAt8", "structure", "problems"]))
        #expect(object["wallSeconds"] as? Double == 9)
        #expect(object["machine"] != nil)
    }
}
