import Foundation
import Tasks
import Testing

@testable import Training

@Suite struct EvaluationSplitTests {
    private func graphs(of set: [PreparedProblem]) throws -> [QuantityGraph] {
        try set.map { try QuantityGraph(questionText: $0.problem.question, modulus: 11) }
    }

    @Test func quantityGraphsAreOfTheSplitAskedFor() throws {
        var configuration = RunConfiguration()
        configuration.task.testProblems = 60
        var keys: [EvaluationConfiguration.Split: Set<String>] = [:]
        for split in EvaluationConfiguration.Split.allCases {
            configuration.evaluation.split = split
            let task = try QuantityGraphTask(configuration)
            #expect(task.tests.map(\.name) == ["same", "larger"])
            for (set, sizes) in zip(
                task.tests, [configuration.task.graphs.sizes, configuration.task.graphs.largerSizes])
            {
                let graphs = try graphs(of: set.problems)
                #expect(graphs.count == 60)
                #expect(graphs.allSatisfy { $0.split == (split == .test ? .test : .validation) })
                #expect(graphs.allSatisfy { sizes.contains($0.needed.count) })
                keys[split, default: []].formUnion(graphs.map(\.canonicalKey))
            }
            let training = try graphs(of: task.training).map(\.canonicalKey)
            #expect(keys[split]?.isDisjoint(with: training) == true)
        }
        #expect(keys[.test]?.isDisjoint(with: try #require(keys[.validation])) == true)
    }

    /// The test problems stay what they were before there was a choice.
    @Test func theTestIsTheDefault() throws {
        #expect(RunConfiguration().evaluation.split == .test)
        let split = try ConfigurationReader.read(file: nil, overrides: ["evaluation.split=validation"])
        #expect(split.evaluation.split == .validation)
    }

    @Test func aFileIsChosenByTheSplit() throws {
        let overrides = ["task.kind=jsonl", "task.test=/t.jsonl", "task.validation=/v.jsonl"]
        let task = try ConfigurationReader.read(file: nil, overrides: overrides).task
        #expect(task.heldOutFile(.test).path == "/t.jsonl")
        #expect(task.heldOutFile(.validation).path == "/v.jsonl")
        #expect(TaskConfiguration().heldOutFile(.validation).key == "task.validation")
    }
}
