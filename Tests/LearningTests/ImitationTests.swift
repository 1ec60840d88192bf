import Foundation
import Models
import Pipelines
import Testing
import Trajectories

@testable import Learning

/// `Learner.imitate` against `torch.optim.AdamW`; `Tools/fixtures/learning.py` makes the figures.
@Suite struct ImitationTests {
    struct Figures: Decodable {
        struct Step: Decodable {
            var demonstrations: [Demonstration]
            var learningRate: Double
            var loss: Double
            var gradientNorm: Double
        }

        struct Places: Decodable {
            var indices: [Int]
            var values: [Double]
        }

        var model: String
        var settings: OptimizerConfiguration
        var steps: [Step]
        var parameters: [String: Places]
    }

    @Test func threeStepsAreThoseOfPyTorch() async throws {
        let figures = try Fixture.decode(Figures.self, "imitation.json")
        let model = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../ModelsTests/Fixtures/\(figures.model)").standardizedFileURL
        let parameters = try HuggingFaceDirectory.load(model).1
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let learner = Learner(
            parameters: parameters, version: PolicyVersion(0),
            configuration: LearnerConfiguration(
                optimizer: figures.settings,
                schedule: LearningRateSchedule(peak: 0.004, warmupSteps: 2, totalSteps: 3, shape: .constant),
                microBatchRows: 20),
            store: PolicyStore(PolicyWeights(parameters)), lane: executor.lane(.learner), threads: 2, cores: 2)
        for step in figures.steps {
            let update = try await learner.imitate(step.demonstrations)
            #expect(abs(update.loss - step.loss) < 1e-5 * step.loss)
            #expect(abs(update.gradientNorm - step.gradientNorm) < 1e-4 * step.gradientNorm)
            #expect(abs(update.learningRate - step.learningRate) < 1e-12)
            #expect(step.gradientNorm > figures.settings.maxGradientNorm, "the norm is clipped")
        }
        #expect(figures.parameters.count == parameters.layout.entries.count)
        for entry in parameters.layout.entries {
            let places = try #require(figures.parameters[entry.name])
            for (index, expected) in zip(places.indices, places.values) {
                let value = Double(parameters.pointer[entry.offset + index])
                // Three steps move a weight by 0.01; a thousandth of that is well above rounding.
                #expect(abs(value - expected) < 1e-5, "\(entry.name)[\(index)]")
            }
        }
    }
}
