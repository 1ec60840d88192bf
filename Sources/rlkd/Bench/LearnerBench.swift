import Foundation
import Learning
import Memory
import Models
import Pipelines
import Training
import Trajectories

/// Whole updates on random tokens: forward, backward, optimizer and publication, spread over all threads.
struct LearnerBench: Sendable {
    static let groupSize = 8
    /// Groups that so many sequences are rounded up to.
    static func groups(of batch: Int) -> Int { (batch + groupSize - 1) / groupSize }

    /// Of a rollout and of the micro-batch made of it, about.
    static let bytesPerToken = 64.0
    private static let leastUpdates = 3
    private static let leastSeconds = 1.5

    var parameters: Parameters
    /// Sequences of an update.
    var batch: Int
    /// Tokens of a group's prompt in `grpo`.
    var prompt: Int
    /// Tokens of a completion.
    var length: Int
    var configuration: LearnerConfiguration

    private var vocabularySize: Int { parameters.configuration.vocabularySize }

    func measure(on executor: ComputeExecutor) async throws -> [BenchResult] {
        let imitation = try await imitation(executor)
        // The first learner's memory, of other sizes, would add to the second's.
        Allocator.returnFreedMemory()
        return [imitation, try await reinforcement(executor)]
    }

    /// `train`: sequences of `length` tokens after one of prompt, each with loss.
    private func imitation(_ executor: ComputeExecutor) async throws -> BenchResult {
        let demonstrations = (0..<batch).map { index in
            let tokens = RandomTokens.draw(length + 1, vocabularySize: vocabularySize, row: index)
            return Demonstration(prompt: Array(tokens.prefix(1)), completion: Array(tokens.dropFirst()))
        }
        let learner = learner(executor)
        let seconds = try await secondsPerUpdate { _ = try await learner.imitate(demonstrations) }
        let operations = OperationCount(configuration: parameters.configuration).training(
            rows: batch * length, logits: batch * length, context: Double(length + 1) / 2)
        return result("train", tokens: batch * length, operations: operations, seconds: seconds)
    }

    /// `grpo`: groups of 8 completions that share a prompt; tokens are the completions'.
    private func reinforcement(_ executor: ComputeExecutor) async throws -> BenchResult {
        let groupCount = Self.groups(of: batch)
        let groups = (0..<groupCount).map(group)
        let learner = learner(executor)
        let seconds = try await secondsPerUpdate { _ = try await learner.learn(from: groups) }
        let operations = OperationCount(configuration: parameters.configuration)
        let completions = groupCount * Self.groupSize
        let prompts = operations.training(rows: groupCount * prompt, logits: 0, context: Double(prompt + 1) / 2)
        let rest = operations.training(
            rows: completions * (length - 1), logits: completions * length,
            context: Double(prompt) + Double(length) / 2)
        return result("grpo", tokens: completions * length, operations: prompts + rest, seconds: seconds)
    }

    private func group(_ index: Int) -> ScoredGroup {
        let question = RandomTokens.draw(prompt, vocabularySize: vocabularySize, row: index)
        let rollouts = (0..<Self.groupSize).map { sample in
            let rollout = Rollout(
                sample: sample, prompt: question,
                tokens: RandomTokens.draw(
                    length, vocabularySize: vocabularySize, row: batch + index * Self.groupSize + sample),
                // About what random weights give.
                logProbabilities: Array(repeating: -log(Float(vocabularySize)), count: length),
                versions: Array(repeating: PolicyVersion(0), count: length),
                isSampled: Array(repeating: true, count: length), finishReason: .length, text: "")
            return ScoredRollout(rollout: rollout, reward: Reward(total: Double(sample % 2), terms: []))
        }
        let problem = Problem(id: "\(index)", question: "", answer: nil)
        return ScoredGroup(
            request: RolloutRequest(ordinal: index, problem: problem, visit: 0, maxNewTokens: length),
            rollouts: rollouts)
    }

    static func configuration(
        microBatchRows: Int = LearnerConfiguration.usualMicroBatchRows
    ) -> LearnerConfiguration {
        LearnerConfiguration(
            schedule: LearningRateSchedule(peak: 1e-6, warmupSteps: 0, totalSteps: 1, shape: .constant),
            microBatchRows: microBatchRows)
    }

    private func learner(_ executor: ComputeExecutor) -> Learner {
        let own = parameters.copy()
        return Learner(
            parameters: own, version: PolicyVersion(0), configuration: configuration,
            store: PolicyStore(PolicyWeights(own)), lane: executor.lane(.learner), threads: executor.threads,
            cores: executor.threads)
    }

    /// The mean, after one update that touches all memory.
    private func secondsPerUpdate(_ update: () async throws -> Void) async throws -> Double {
        try await update()
        let clock = ContinuousClock()
        let start = clock.now
        var updates = 0
        while updates < Self.leastUpdates || (clock.now - start).seconds < Self.leastSeconds {
            try await update()
            updates += 1
        }
        return (clock.now - start).seconds / Double(updates)
    }

    private func result(_ name: String, tokens: Int, operations: Double, seconds: Double) -> BenchResult {
        BenchResult(
            name: name, tokensPerSecond: Double(tokens) / seconds, gigaflops: operations / seconds * 1e-9)
    }
}
