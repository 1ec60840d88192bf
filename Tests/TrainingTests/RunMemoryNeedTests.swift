import Learning
import Models
import Testing
import Trajectories

@testable import Pipelines
@testable import Training

/// What a run's configuration comes to, part by part.
@Suite struct RunMemoryNeedTests {
    /// Batches that are made ahead of a large update, and its micro-batches.
    @Test func demonstrationsAreCounted() throws {
        let demonstrations = (0..<3000).map { index in
            Demonstration(
                prompt: (0..<20 + index % 30).map { Int32($0) }, completion: (0..<10 + index % 50).map { Int32($0) })
        }
        let lengths = try #require(DemonstrationLengths(demonstrations))
        #expect(lengths.longest == 49 + 59)
        let batch = allocated {
            var copies: [Demonstration] = []
            copies.reserveCapacity(demonstrations.count)
            for one in demonstrations {
                copies.append(Demonstration(prompt: one.prompt.map { $0 }, completion: one.completion.map { $0 }))
            }
            return copies
        }
        expectClose(Double(demonstrations.count) * lengths.meanBytes, batch)
        func need(_ override: String) throws -> Double {
            let configuration = try ConfigurationReader.read(file: nil, overrides: ["arms=grpo", override])
            var sequences = SequenceLengths(longest: 200)
            sequences.warmup = lengths
            let need = MemoryNeed(
                configuration, model: MemoryNeedTests.shapes[1], lengths: sequences, cores: 2)
            return need.parts.first { $0.name == "demonstrations" }?.bytes ?? 0
        }
        // Six batches, and the rows of one.
        let size = 2_000_000.0
        let counted = try need("warmup.batchSize=2000000")
        #expect(counted > 6 * size * lengths.meanBytes)
        #expect(counted < size * (6 * lengths.meanBytes + 1.1 * lengths.meanMicroBatchBytes))
    }

    /// By the evaluation the learner is gone, so that what it took is not added to a large evaluation.
    @Test func anEvaluationHasNoLearnerBesideIt() throws {
        func parts(_ overrides: [String]) throws -> Set<String> {
            let configuration = try ConfigurationReader.read(file: nil, overrides: overrides)
            return Set(
                MemoryNeed(
                    configuration, model: MemoryNeedTests.shapes[1], lengths: SequenceLengths(longest: 200), cores: 2
                )
                .parts.map(\.name))
        }
        let learner: Set<String> = ["a learner's pass", "moments, sum of gradients", "a checkpoint's copies"]
        let evaluating = try parts(["task.testProblems=20000"])
        #expect(evaluating.contains("evaluation") && evaluating.isDisjoint(with: learner))
        let training = try parts(["task.testProblems=1", "evaluation.samples=1"])
        #expect(!training.contains("evaluation") && training.isSuperset(of: learner))
    }

    /// Of whichever arm comes last, waits of shared steps included; of the others none is kept.
    @Test func theTimelineOfTheLastArmIsCounted() throws {
        func timeline(_ overrides: String...) throws -> Double? {
            let configuration = try ConfigurationReader.read(
                file: nil, overrides: ["threads=4", "task.testProblems=1", "evaluation.samples=0"] + overrides)
            let need = MemoryNeed(
                configuration, model: MemoryNeedTests.shapes[0], lengths: SequenceLengths(longest: 250), cores: 2)
            return need.parts.first { $0.name == "the timeline" }?.bytes
        }
        let full = TraceRecorder.byteCount(threads: 4, spans: .max, waits: .max, depths: .max)
        #expect(full == 4 * 2 * 65_536 * 24 + 65_536 * MemoryLayout<TraceRecorder.Depth>.stride)
        #expect(try timeline("arms=grpo", "steps=100000", "workers=1") == Double(full))
        let alone = try #require(try timeline("arms=grpo", "steps=30"))
        let shared = try #require(try timeline("arms=grpo", "steps=30", "workers=1"))
        #expect(alone < shared && shared < Double(full))
        let imitation = try #require(try timeline("arms=sft", "warmup.steps=0", "sft.steps=100"))
        #expect(imitation > 0 && imitation < alone)
    }

    @Test func staleBatchesAreCounted() throws {
        func rollouts(_ maxStaleness: Int) throws -> Double {
            let configuration = try ConfigurationReader.read(
                file: nil, overrides: ["arms=grpo", "maxStaleness=\(maxStaleness)"])
            let need = MemoryNeed(
                configuration, model: MemoryNeedTests.shapes[0], lengths: SequenceLengths(longest: 250), cores: 2)
            return need.parts.first { $0.name == "rollouts" }?.bytes ?? 0
        }
        #expect(try rollouts(1) > 0)
        #expect(try rollouts(9) == 3 * rollouts(1))
    }

    @Test func theBuiltInRunFitsASmallMachine() throws {
        let material = try RunMaterial(RunConfiguration(), logger: TestRun.quietLogger)
        var configuration = RunConfiguration()
        configuration.threads = 4
        let need = MemoryNeed(
            configuration, model: material.student.configuration,
            lengths: SequenceLengths(
                longest: material.longestSequence, training: material.task.training,
                tests: material.task.tests), cores: 4)
        #expect(need.bytes < 0x1p29)
    }
}
