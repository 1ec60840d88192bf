import Foundation
import Learning
import Logging
import Testing
import Trajectories

@testable import Training

/// A folder that is gone afterwards.
func withTemporaryFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "training-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}

/// A run that takes a moment: problems of two or three steps, a student of one layer.
enum TestRun {
    static let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func configuration(output: URL? = nil) -> RunConfiguration {
        var configuration = RunConfiguration()
        configuration.output = output?.path
        configuration.seed = 3
        configuration.threads = 2
        configuration.workers = 2
        configuration.maxStaleness = 0
        configuration.arms = [.rlkd]
        configuration.steps = 6
        configuration.task.trainingProblems = 5
        configuration.task.testProblems = 3
        configuration.task.graphs.definitions = 4
        configuration.task.graphs.baseSizes = 1...2
        configuration.task.graphs.sizes = 2...3
        configuration.task.graphs.largerSizes = 3...4
        configuration.task.graphs.slackSteps = 0
        configuration.student.hiddenSize = 16
        configuration.student.layers = 1
        configuration.student.attentionHeads = 2
        configuration.student.keyValueHeads = 1
        configuration.student.intermediateSize = 24
        configuration.warmup = ImitationConfiguration(steps: 7, batchSize: 4, learningRate: 1e-2, shape: .cosine)
        configuration.warmup.warmupSteps = 2
        configuration.sft = ImitationConfiguration(steps: 4, batchSize: 3, learningRate: 1e-2, shape: .constant)
        configuration.reinforcement.problemsPerBatch = 2
        configuration.reinforcement.groupSize = 3
        configuration.reinforcement.queueCapacity = 1
        configuration.reinforcement.learningRate = 1e-2
        configuration.reinforcement.referenceWeight = 0.1
        configuration.evaluation.samples = 2
        configuration.checkpoints.every = 2
        configuration.checkpoints.imitationEvery = 3
        configuration.checkpoints.keep = 100
        configuration.checkpoints.rolloutsEvery = 1
        return configuration
    }

    @discardableResult
    static func run(_ configuration: RunConfiguration, resuming: Bool = false) async throws -> TrainingRun.Outcome {
        try await TrainingRun(configuration: configuration, resuming: resuming, logger: quietLogger).run()
    }

    // MARK: What a run left

    /// The lines of metrics.jsonl without their times.
    static func metrics(_ directory: URL) throws -> [NSDictionary] {
        try String(contentsOf: directory.appending(path: "metrics.jsonl"), encoding: .utf8).split(separator: "\n").map {
            let object = try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            return object.filter { $0.key != "seconds" } as NSDictionary
        }
    }

    /// Every file below a folder whose bytes a resumed run has to reproduce.
    static func reproducible(_ directory: URL) throws -> [String: Data] {
        var files: [String: Data] = [:]
        let manager = FileManager.default
        for folder in ["checkpoints", "rollouts"] {
            let root = directory.appending(path: folder)
            for name in try manager.subpathsOfDirectory(atPath: root.path) {
                let file = root.appending(path: name)
                var isFolder: ObjCBool = false
                guard manager.fileExists(atPath: file.path, isDirectory: &isFolder), !isFolder.boolValue,
                    !name.hasSuffix("state.json"), !name.hasSuffix("pipeline.json")
                else { continue }
                files["\(folder)/\(name)"] = try Data(contentsOf: file)
            }
        }
        return files
    }

    static func summary(_ directory: URL) throws -> Summary {
        try JSONDecoder().decode(Summary.self, from: Data(contentsOf: directory.appending(path: "summary.json")))
    }

    static func checkpoints(_ folder: URL) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.contains("step-") }
            .sorted()
    }

    /// Expects that two finished runs are the same but for the time that they took.
    static func expectSame(_ left: URL, _ right: URL, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let (lines, others) = (try metrics(left), try metrics(right))
        #expect(lines.count == others.count, sourceLocation: sourceLocation)
        for (line, other) in zip(lines, others) {
            #expect(line == other, sourceLocation: sourceLocation)
        }
        let (first, second) = (try reproducible(left), try reproducible(right))
        #expect(first.keys.sorted() == second.keys.sorted(), sourceLocation: sourceLocation)
        for (name, data) in first {
            #expect(second[name] == data, "\(name)", sourceLocation: sourceLocation)
        }
        let (one, other) = (try summary(left), try summary(right))
        #expect(one.arms == other.arms, sourceLocation: sourceLocation)
        func counts(_ summary: Summary) -> [String: [Int]] {
            summary.phases.mapValues { [$0.updates, $0.learnedTokens, $0.sampledTokens] }
        }
        #expect(counts(one) == counts(other), sourceLocation: sourceLocation)
    }
}
