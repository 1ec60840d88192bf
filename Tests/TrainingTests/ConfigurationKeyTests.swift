import Foundation
import Models
import Testing
import Yams

@testable import Training

/// Every key of the configuration with values of the wrong type, negative, zero, beyond any range, not finite, empty, and
/// names that nobody knows.
@Suite struct ConfigurationKeyTests {
    private static let values = [
        "-1", "0", "9223372036854775807", "1e400", ".nan", ".inf", "''", "", "[]", "{}", "nonsense", "[nonsense]",
        "1.5",
        "true",
    ]

    private static let text: Set = [
        "-1", "0", "9223372036854775807", "1e400", ".nan", ".inf", "nonsense", "1.5", "true",
    ]
    private static let path = text.union(["''", ""])
    private static let rate: Set = ["9223372036854775807", "1.5"]
    private static let rateOrZero = rate.union(["0"])
    private static let weight = rateOrZero.union(["-1"])
    private static let zero: Set = ["0"]
    private static let large: Set = ["9223372036854775807"]

    /// Which of the values a key takes; the others take none.
    private static let taken: [String: Set<String>] = [
        "name": text, "output": path, "seed": ["0", "9223372036854775807"], "threads": zero, "workers": zero,
        "maxStaleness": zero, "steps": zero,
        "task.separator": text.union(["''"]), "task.training": path, "task.test": path, "task.validation": path,
        "task.graphs.digression": zero, "task.graphs.slackSteps": zero, "task.graphs.seed": zero,
        "task.fields.question": text, "task.fields.answer": text.union([""]), "task.fields.trace": text.union([""]),
        "task.fields.id": text.union([""]),
        // Any other is a directory, which is looked at later.
        "student.model": path, "student.initialDeviation": rateOrZero,
        "warmup.steps": zero, "warmup.learningRate": rate, "warmup.warmupSteps": zero,
        "sft.steps": zero, "sft.learningRate": rate, "sft.warmupSteps": zero,
        "reinforcement.learningRate": rate, "reinforcement.warmupSteps": zero, "reinforcement.clip": rate,
        "reinforcement.referenceWeight": rateOrZero, "reinforcement.sampling.temperature": rate,
        "reinforcement.sampling.topK": ["0", "9223372036854775807"],
        "learner.adapters.rank": zero, "learner.adapters.alpha": rate,
        "optimizer.beta1": zero, "optimizer.beta2": zero, "optimizer.epsilon": rate,
        "optimizer.weightDecay": rateOrZero, "optimizer.maxGradientNorm": rateOrZero,
        "reward.accuracy": weight, "reward.format": weight, "reward.tagCount": weight, "reward.structure": weight,
        "reward.overlong.weight": rateOrZero, "reward.overlong.start": zero, "reward.alpha": ["0", ""],
        "evaluation.samples": zero, "evaluation.temperature": rate,
        "checkpoints.every": large, "checkpoints.imitationEvery": large, "checkpoints.keep": large,
        "checkpoints.rolloutsEvery": large,
    ]

    private static func keys(_ node: Node, _ path: [String] = []) -> [String] {
        guard case .mapping(let mapping) = node else { return [path.joined(separator: ".")] }
        return mapping.flatMap { keys($0.value, path + [$0.key.string ?? ""]) }
    }

    @Test func everyKeyNamesItselfOrTakesTheValue() throws {
        let keys = Self.keys(try RunConfiguration().tree())
        #expect(keys.count > 60)
        #expect(Set(Self.taken.keys).isSubset(of: keys))
        for key in keys {
            for value in Self.values {
                let isTaken = Self.taken[key]?.contains(value) ?? false
                do {
                    try ConfigurationReader.read(file: nil, overrides: ["\(key)=\(value)"]).validate()
                    #expect(isTaken, "\(key)=\(value) is taken")
                } catch let error as ConfigurationError {
                    #expect(!isTaken, "\(error)")
                    #expect(error.key == key || error.key.hasPrefix(key + "."), "\(key)=\(value): \(error)")
                    #expect(!error.description.contains("\n"))
                }
            }
        }
    }

    @Test func allLinearStandsForTheLayersProjections() throws {
        let usual = RunConfiguration().learner.adapters.targets
        #expect(
            usual.map(\.rawValue) == ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"])
        func targets(_ value: String) throws -> [Projection] {
            let given = try ConfigurationReader.read(file: nil, overrides: ["learner.adapters.targets=\(value)"])
            try given.validate()
            let again = try ConfigurationReader.read(text: given.yaml(), source: URL(filePath: "/config.yaml"))
            #expect(again == given)
            return given.learner.adapters.targets
        }
        #expect(try targets("all-linear") == usual)
        #expect(try targets("[all-linear]") == usual)
        #expect(try targets("lm_head,q_proj") == [.head, .query])
        let error = #expect(throws: ConfigurationError.self) { try targets("all-linear,lm_head") }
        #expect(error?.key.hasPrefix("learner.adapters.targets") == true, "\(String(describing: error))")
    }

    @Test func everyChoiceIsListed() throws {
        for (key, choices) in RunConfiguration.choices {
            let error = #expect(throws: ConfigurationError.self) {
                try ConfigurationReader.read(file: nil, overrides: ["\(key)=nonsense"])
            }
            for choice in choices { #expect(error?.reason.contains(choice) == true, "\(key): \(choice)") }
        }
    }

    @Test(arguments: [
        ("student.hiddenSize=95", "student.hiddenSize", "student.attentionHeads"),
        ("student.attentionHeads=7", "student.hiddenSize", "student.attentionHeads, which is 7"),
        ("student.hiddenSize=90", "student.hiddenSize", "even"),
        ("student.keyValueHeads=4", "student.keyValueHeads", "student.attentionHeads, which is 6"),
        ("student.keyValueHeads=12", "student.keyValueHeads", "student.attentionHeads, which is 6"),
        ("student.attentionHeads=192", "student.hiddenSize", "multiple of student.attentionHeads"),
        ("reward.overlong.start=300", "reward.overlong.start", "reward.overlong.limit, which is 256"),
        ("reward.overlong.limit=100", "reward.overlong.start", "reward.overlong.limit, which is 100"),
        ("task.graphs.seed=3", "task.graphs.seed", "seed"), ("name=a/b", "name", "folder"),
        ("reinforcement.clip=.inf", "reinforcement.clip", "above 0"),
    ])
    func whatDoesNotGoTogetherIsNamed(override: String, key: String, reason: String) throws {
        let configuration = try ConfigurationReader.read(file: nil, overrides: [override])
        let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(error?.key == key)
        #expect(error?.reason.contains(reason) == true, "\(String(describing: error))")
    }

    /// The shape of a student that is read from a directory is the directory's.
    @Test func theShapeOfAGivenStudentDoesNotCount() throws {
        let overrides = ["task.kind=gsm8k", "student.model=/m", "student.hiddenSize=95"]
        try ConfigurationReader.read(file: nil, overrides: overrides).validate()
    }
}
