import Learning
import Models
import StructureRewards
import Tasks

extension RunConfiguration {
    /// The names that keys with a choice take, by dotted key.
    static let choices: [String: [String]] = [
        "dtype": Precision.allCases.map(\.rawValue),
        "arms": Arm.allCases.map(\.rawValue),
        "task.kind": TaskConfiguration.Kind.allCases.map(\.rawValue),
        "task.overlong": TaskConfiguration.Overlong.allCases.map(\.rawValue),
        "task.graphs.teacherNotation": TeacherNotation.allCases.map(\.rawValue),
        "warmup.shape": LearningRateSchedule.Shape.allCases.map(\.rawValue),
        "sft.shape": LearningRateSchedule.Shape.allCases.map(\.rawValue),
        "reinforcement.shape": LearningRateSchedule.Shape.allCases.map(\.rawValue),
        "reward.decomposer": RewardConfiguration.DecomposerKind.allCases.map(\.rawValue),
        "reward.judge": RewardConfiguration.JudgeKind.allCases.map(\.rawValue),
        "reward.alignment": AlignmentMethod.allCases.map(\.rawValue),
        "reward.compatibility": Compatibility.allCases.map(\.rawValue),
        "learner.activations": ActivationStorage.allCases.map(\.rawValue),
        "learner.adapters.targets": Projection.allCases.map(\.rawValue) + [Projection.allLinear],
        "evaluation.split": EvaluationConfiguration.Split.allCases.map(\.rawValue),
    ]

    /// Keys of a text that must be given, though it may be empty.
    static let texts: Set = ["name", "task.separator", "task.fields.question"]

    /// Keys of two whole numbers, the least and the most.
    static let ranges: Set = [
        "task.graphs.baseDefinitions", "task.graphs.baseSizes", "task.graphs.sizes", "task.graphs.largerSizes",
    ]
}
