import Models
import Testing

@testable import Training

/// Engines of a run: no more than there are requests to give them, whatever the threads.
@Suite struct EngineCountTests {
    private let student = ModelConfiguration(
        hiddenSize: 64, intermediateSize: 128, layerCount: 2, attentionHeadCount: 2, keyValueHeadCount: 2,
        vocabularySize: 128, maxPositions: 64)

    private func workers(problems: Int, group: Int, asked: Int = 0) -> Int {
        var configuration = RunConfiguration()
        configuration.reinforcement.problemsPerBatch = problems
        configuration.reinforcement.groupSize = group
        configuration.workers = asked
        return configuration.rolloutWorkers(threads: 16, student)
    }

    @Test func aGroupIsOneWorkers() {
        #expect(workers(problems: 1, group: 64) == 1)
        #expect(workers(problems: 8, group: 8) == 8)
        #expect(workers(problems: 64, group: 8) == 16)
    }

    /// What is estimated for threads that take turns at fewer cores, apart from what each of them has of its own.
    @Test func threadsBeyondCoresHaveNoWorkers() throws {
        func bytes(threads: Int, _ part: String, _ overrides: String...) throws -> Double? {
            let configuration = try ConfigurationReader.read(
                file: nil, overrides: ["arms=grpo", "threads=\(threads)"] + overrides)
            let need = MemoryNeed(
                configuration, model: student, lengths: SequenceLengths(longest: 60), cores: 2)
            return need.parts.first { $0.name == part }?.bytes
        }
        let workers = try #require(try bytes(threads: 2, "rollout workers", "task.testProblems=1"))
        #expect(try bytes(threads: 16, "rollout workers", "task.testProblems=1") == workers)
        #expect(try bytes(threads: 16, "rollout workers", "task.testProblems=1", "workers=16") != workers)
        #expect(
            MemoryNeed(
                try ConfigurationReader.read(
                    file: nil, overrides: ["arms=grpo", "threads=16", "task.testProblems=20000"]),
                model: student, lengths: SequenceLengths(longest: 60), cores: 2
            ).parts.first { $0.name == "evaluation" }?.cause == .key("threads", value: "16"))
        let evaluation = try #require(try bytes(threads: 2, "evaluation", "task.testProblems=20000"))
        #expect(try bytes(threads: 16, "evaluation", "task.testProblems=20000") == evaluation)
    }

    @Test func workersThatWereAskedForStay() {
        #expect(workers(problems: 1, group: 64, asked: 3) == 3)
    }

    @Test func aProblemIsOneEngines() {
        let engines = [(2, 7), (64, 0), (64, 7), (0, 7)].map { problems, samples in
            Evaluator.engines(threads: 16, problems: problems, samples: samples, configuration: student)
        }
        #expect(engines == [2, 16, 16, 1])
    }
}
