import Generation
import Memory
import Models
import Pipelines
import StructureRewards
import Tokenizers
import Trajectories

/// Measures a student on held-out problems: one greedy completion and several samples of each.
///
/// Completions depend on the weights, the seed and the problem alone, so that students are compared on equal draws.
struct Evaluator: Sendable {
    var tokenizer: Tokenizer
    var scorer: Scorer
    var samples: Int
    var temperature: Float
    var seed: UInt64
    var endTokens: [Int32]
    /// Completions that an engine runs at once.
    var batchCapacity: Int
    /// Told of the completions that have ended since it was last told.
    var progress: (@Sendable (_ completions: Int) async -> Void)?

    /// Completions that `evaluate` makes.
    func completions(of set: TestSet) -> Int { set.problems.count * (1 + samples) }

    /// What became of one problem.
    private struct Outcome: Sendable {
        var greedyCorrect = 0
        var correct = 0
        var sampled = 0
        var structure = 0.0
        var wellFormed = 0
        var structureFailures = 0
    }

    /// - Throws: `NonFiniteEvaluation` as soon as a completion ends with log-probabilities that are not numbers.
    func evaluate(
        _ weights: PolicyWeights, on set: TestSet, imitatingTeacher: Bool, executor: ComputeExecutor
    ) async throws -> EvaluationResult {
        // The next set's engines, of other sizes, would come on top of this one's.
        defer { Allocator.returnFreedMemory() }
        let engines = Self.engines(
            threads: executor.running, problems: set.problems.count, samples: samples,
            configuration: weights.configuration)
        let sharing = Generator.threadsSharing(
            engines: engines, threads: executor.threads, running: executor.running)
        let outcomes = try await withThrowingTaskGroup(of: (engine: Int, outcomes: [Outcome]).self) { group in
            for engine in 0..<engines {
                let part = stride(from: engine, to: set.problems.count, by: engines).map { set.problems[$0] }
                group.addTask(executorPreference: executor.lane(.rollout)) {
                    let outcomes = try await evaluate(
                        weights, part, imitatingTeacher: imitatingTeacher, threads: sharing, running: executor.running)
                    return (engine, outcomes)
                }
            }
            return try await group.reduce(into: Array(repeating: Outcome(), count: set.problems.count)) { all, part in
                for (index, outcome) in part.outcomes.enumerated() {
                    all[part.engine + index * engines] = outcome
                }
            }
        }
        return result(outcomes)
    }

    /// Generators that a set's problems are divided among. A problem has a greedy completion beside the samples.
    static func engines(threads: Int, problems: Int, samples: Int, configuration: ModelConfiguration) -> Int {
        Generator.engines(
            threads: threads, completions: problems * (samples + 1), requests: problems, configuration: configuration)
    }

    /// Sums in the order of the problems, so that the threads leave no trace in the last bits.
    private func result(_ outcomes: [Outcome]) -> EvaluationResult {
        let count = Double(max(1, outcomes.count))
        let sampled = count * Double(max(1, samples))
        func sum(_ value: (Outcome) -> Double) -> Double {
            outcomes.reduce(0) { $0 + value($1) }
        }
        func ofSamples(_ value: Double) -> Double? {
            samples > 0 ? value : nil
        }
        func passAtK(_ k: Int) -> Double {
            sum { EvaluationResult.passAtK(samples: $0.sampled, correct: $0.correct, k: k) } / count
        }
        return EvaluationResult(
            accuracy: sum { Double($0.greedyCorrect) } / count, passAt1: ofSamples(passAtK(1)),
            passAt8: ofSamples(passAtK(8)), structure: ofSamples(sum(\.structure) / sampled),
            wellFormed: ofSamples(sum { Double($0.wellFormed) } / sampled),
            structureFailures: outcomes.reduce(0) { $0 + $1.structureFailures }, problems: outcomes.count)
    }

    private func evaluate(
        _ weights: PolicyWeights, _ problems: [PreparedProblem], imitatingTeacher: Bool, threads: Int, running: Int
    ) async throws -> [Outcome] {
        let longest = problems.map { $0.prompt.count + $0.maxNewTokens(imitatingTeacher: imitatingTeacher) }.max()
        let generator = Generator(
            configuration: weights.configuration, batchCapacity: min(batchCapacity, problems.count * (samples + 1)),
            longestSequence: longest, threads: threads, running: running)
        for (index, problem) in problems.enumerated() {
            for isGreedy in [true, false] where isGreedy || samples > 0 {
                try generator.submit(
                    GenerationRequest(
                        identifier: 2 * index + (isGreedy ? 0 : 1), prompt: problem.prompt,
                        sampleCount: isGreedy ? 1 : samples,
                        maxNewTokens: problem.maxNewTokens(imitatingTeacher: imitatingTeacher),
                        sampling: SamplingParameters(temperature: isGreedy ? 0 : temperature), endTokens: endTokens,
                        seed: seed, problemKey: problem.problem.key))
            }
        }
        var completions: [Int: [Completion]] = [:]
        while generator.hasWork {
            try Task.checkCancellation()
            let ended = generator.step(weights)
            for completion in ended {
                guard completion.logProbabilities.allSatisfy(\.isFinite) else {
                    throw NonFiniteEvaluation(problem: problems[completion.identifier / 2].problem.id)
                }
                completions[completion.identifier, default: []].append(completion)
            }
            if !ended.isEmpty { await progress?(ended.count) }
            await Task.yield()
        }
        var outcomes: [Outcome] = []
        for (index, problem) in problems.enumerated() {
            outcomes.append(
                try await outcome(
                    problem.problem, greedy: completions[2 * index] ?? [], sampled: completions[2 * index + 1] ?? []))
        }
        return outcomes
    }

    private func outcome(
        _ problem: Problem, greedy: [Completion], sampled: [Completion]
    ) async throws -> Outcome {
        var outcome = Outcome()
        for completion in greedy {
            let text = try tokenizer.text(ofCompletion: completion.tokens)
            outcome.greedyCorrect += scorer.verifier.isCorrect(text, for: problem) ? 1 : 0
        }
        for completion in sampled.sorted(by: { $0.sample < $1.sample }) {
            let text = try tokenizer.text(ofCompletion: completion.tokens)
            let reward = try await scorer.score(text, tokens: completion.tokens.count, for: problem)
            outcome.sampled += 1
            outcome.correct += (reward.value(of: "accuracy") ?? 0) == 1 ? 1 : 0
            outcome.wellFormed += (reward.value(of: "format") ?? 0) == 1 ? 1 : 0
            outcome.structureFailures += reward.failure == nil ? 0 : 1
            outcome.structure += reward.value(of: "structure") ?? 0
        }
        return outcome
    }
}
