import Foundation
import Learning
import Testing
import Trajectories

@testable import Training

/// Runs of a second each; the limit is for a run that never ends, and leaves a machine time that is paused or shared.
@Suite(.timeLimit(.minutes(30))) struct FailureTests {
    /// So large a rate that no loss is a number after the first update, though the weights are.
    private let absurdRate = 1e30

    @Test func anImitationThatIsNotANumberStopsWithItsBatchAndStep() async throws {
        try await withTemporaryFolder { folder in
            let output = folder.appending(path: "run")
            var configuration = TestRun.configuration(output: output)
            configuration.warmup.learningRate = absurdRate
            let error = await #expect(throws: DivergedRun.self) { try await TestRun.run(configuration) }
            #expect(error?.step == 2)
            let saved = try Data(contentsOf: output.appending(path: "failed-batch-base-step-2.json"))
            let demonstrations = try JSONDecoder().decode([Demonstration].self, from: saved)
            #expect(
                error?.description
                    == "the run diverged: in phase base, step 2, the loss is not a finite number; the batch is kept in "
                    + "\(output.path)/failed-batch-base-step-2.json; begin another run with a lower warmup.learningRate "
                    + "(it is 1e+30) or optimizer.maxGradientNorm (it is 1.0)")
            #expect(demonstrations.count == configuration.warmup.batchSize)
            #expect(try TestRun.metrics(output).count == 1)
            #expect(TestRun.checkpoints(output.appending(path: "checkpoints/base")) == ["step-1"])
            #expect(!FileManager.default.fileExists(atPath: output.appending(path: "summary.json").path))
        }
    }

    @Test func aPolicyUpdateThatIsNotANumberStopsWithItsBatchAndStep() async throws {
        try await withTemporaryFolder { folder in
            let output = folder.appending(path: "run")
            var configuration = TestRun.configuration(output: output)
            configuration.reinforcement.learningRate = absurdRate
            configuration.reinforcement.sampling.topP = 0.9
            let error = await #expect(throws: DivergedRun.self) { try await TestRun.run(configuration) }
            #expect(error?.step == 2)
            let saved = try Data(contentsOf: output.appending(path: "failed-batch-rlkd-step-2.json"))
            let decoder = JSONDecoder()
            decoder.nonConformingFloatDecodingStrategy = .convertFromString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            let groups = try decoder.decode([ScoredGroup].self, from: saved)
            #expect(groups.map(\.request.ordinal) == [2, 3])
            #expect(groups.allSatisfy { $0.rollouts.count == 3 })
            #expect(TestRun.checkpoints(output.appending(path: "checkpoints")) == ["step-1"])
        }
    }

    /// The step that failed is where it goes on, with the same batch.
    @Test func aFailedRunFailsAgainWhereItStopped() async throws {
        try await withTemporaryFolder { folder in
            let output = folder.appending(path: "run")
            var configuration = TestRun.configuration(output: output)
            configuration.reinforcement.learningRate = absurdRate
            let first = await #expect(throws: DivergedRun.self) { try await TestRun.run(configuration) }
            let file = output.appending(path: "failed-batch-rlkd-step-2.json")
            let saved = try Data(contentsOf: file)
            let metrics = try TestRun.metrics(output)
            let second = await #expect(throws: DivergedRun.self) {
                try await TestRun.run(configuration, resuming: true)
            }
            #expect(first?.step == second?.step)
            #expect(try Data(contentsOf: file) == saved)
            #expect(try TestRun.metrics(output) == metrics)
        }
    }

    /// A rate whose product with the decay is beyond a float leaves weights that are no numbers: they are neither published nor saved.
    @Test func weightsThatAreNoNumbersAreNotSaved() async throws {
        try await withTemporaryFolder { folder in
            let output = folder.appending(path: "run")
            var configuration = TestRun.configuration(output: output)
            configuration.reinforcement.learningRate = 1e38
            configuration.optimizer.weightDecay = 1e4
            configuration.warmup.learningRate = 1e-6
            let error = await #expect(throws: DivergedRun.self) { try await TestRun.run(configuration) }
            let text = try #require(error?.description)
            #expect(
                text.hasPrefix("the run diverged: in phase rlkd, step 1, a weight is not a finite number any more; "),
                "\(text)")
            #expect(text.contains("lower reinforcement.learningRate (it is 1e+38)"), "\(text)")
            #expect(TestRun.checkpoints(output.appending(path: "checkpoints")) == [])
            #expect(TestRun.checkpoints(output.appending(path: "checkpoints/base")).last == "step-7")
        }
    }

    /// Weights that the last update made are met by the evaluation.
    @Test func anEvaluationWithoutNumbersNamesTheSetting() async throws {
        try await withTemporaryFolder { folder in
            var configuration = TestRun.configuration(output: folder.appending(path: "run"))
            configuration.warmup.steps = 1
            configuration.warmup.warmupSteps = 0
            configuration.warmup.learningRate = absurdRate
            let error = await #expect(throws: DivergedRun.self) { try await TestRun.run(configuration) }
            let text = try #require(error?.description)
            #expect(
                text.hasPrefix("the run diverged: after step 1 of phase base, the log-probabilities of a "), "\(text)")
            #expect(text.contains("lower warmup.learningRate (it is 1e+30)"), "\(text)")
        }
    }
}
