import Generation
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
    /// Completions that a thread runs at once.
    var batchCapacity: Int

    private struct Outcome: Sendable {
        var greedyCorrect = 0
        var passAt1 = 0.0
        var passAt8 = 0.0
        var structure = 0.0
        var wellFormed = 0
        var problems = 0
    }

    func evaluate(
        _ weights: PolicyWeights, on set: TestSet, imitatingTeacher: Bool, executor: ComputeExecutor
    ) async throws -> EvaluationResult {
        let threads = executor.threads
        let total = try await withThrowingTaskGroup(of: Outcome.self) { group in
            for thread in 0..<threads {
                let part = stride(from: thread, to: set.problems.count, by: threads).map { set.problems[$0] }
                group.addTask(executorPreference: executor.lane(.rollout)) {
                    try await evaluate(weights, part, imitatingTeacher: imitatingTeacher)
                }
            }
            return try await group.reduce(into: Outcome()) { total, part in
                total.greedyCorrect += part.greedyCorrect
                total.passAt1 += part.passAt1
                total.passAt8 += part.passAt8
                total.structure += part.structure
                total.wellFormed += part.wellFormed
                total.problems += part.problems
            }
        }
        let count = Double(max(1, total.problems))
        let sampled = count * Double(max(1, samples))
        return EvaluationResult(
            accuracy: Double(total.greedyCorrect) / count, passAt1: total.passAt1 / count,
            passAt8: total.passAt8 / count, structure: total.structure / sampled,
            wellFormed: Double(total.wellFormed) / sampled, problems: total.problems)
    }

    private func evaluate(
        _ weights: PolicyWeights, _ problems: [PreparedProblem], imitatingTeacher: Bool
    ) async throws -> Outcome {
        let generator = Generator(configuration: weights.configuration, batchCapacity: batchCapacity)
        for (index, problem) in problems.enumerated() {
            let prompt = try tokenizer.encode(problem.problem.question, addSpecialTokens: true)
            for isGreedy in [true, false] where isGreedy || samples > 0 {
                try generator.submit(
                    GenerationRequest(
                        identifier: 2 * index + (isGreedy ? 0 : 1), prompt: prompt,
                        sampleCount: isGreedy ? 1 : samples,
                        maxNewTokens: problem.maxNewTokens(imitatingTeacher: imitatingTeacher),
                        sampling: SamplingParameters(temperature: isGreedy ? 0 : temperature), endTokens: endTokens,
                        seed: seed, problemKey: problem.problem.key))
            }
        }
        var texts: [Int: [Completion]] = [:]
        while generator.hasWork {
            try Task.checkCancellation()
            for completion in generator.step(weights) {
                texts[completion.identifier, default: []].append(completion)
            }
            await Task.yield()
        }
        var outcome = Outcome()
        for (index, problem) in problems.enumerated() {
            try await count(
                problem.problem, greedy: texts[2 * index] ?? [], sampled: texts[2 * index + 1] ?? [], into: &outcome)
        }
        return outcome
    }

    private func count(
        _ problem: Problem, greedy: [Completion], sampled: [Completion], into outcome: inout Outcome
    ) async throws {
        outcome.problems += 1
        for completion in greedy {
            let text = try tokenizer.decode(completion.tokens, skipSpecialTokens: true)
            outcome.greedyCorrect += scorer.verifier.isCorrect(text, for: problem) ? 1 : 0
        }
        var correct = 0
        for completion in sampled {
            let text = try tokenizer.decode(completion.tokens, skipSpecialTokens: true)
            let reward = try await scorer.score(text, tokens: completion.tokens.count, for: problem)
            correct += (reward.value(of: "accuracy") ?? 0) == 1 ? 1 : 0
            outcome.wellFormed += (reward.value(of: "format") ?? 0) == 1 ? 1 : 0
            outcome.structure += reward.value(of: "structure") ?? 0
        }
        outcome.passAt1 += EvaluationResult.passAtK(samples: sampled.count, correct: correct, k: 1)
        outcome.passAt8 += EvaluationResult.passAtK(samples: sampled.count, correct: correct, k: 8)
    }
}
