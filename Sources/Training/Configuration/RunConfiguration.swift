import Generation
import Learning
import Models
import Tasks

/// Everything that decides a run. The defaults are the built-in run; a file or `key=value` pairs change them.
///
/// Relative paths in a file are relative to that file, those in `key=value` pairs to the working directory.
public struct RunConfiguration: Sendable, Codable, Equatable {
    /// Name of the run directory under `runs`, where `output` is not given.
    public var name = "quantities"
    /// The run directory.
    public var output: String?
    public var seed: UInt64 = 1
    /// The numbers that matrix products multiply, and in which keys and values are kept; the weights under training stay f32.
    public var dtype = Precision.float32
    /// Compute threads; 0 takes all cores.
    public var threads = 0
    /// Rollout workers; 0 takes as many as threads that have cores, and fewer, whose steps the threads share, for few completions
    /// or a model beyond the caches.
    public var workers = 0
    /// Policy versions that a rollout may lag behind the update that consumes it.
    public var maxStaleness = 1
    /// What the base student is put through, each from the same start.
    public var arms = Arm.allCases
    /// Updates of each reinforcement arm.
    public var steps = 300
    public var task = TaskConfiguration()
    public var student = StudentConfiguration()
    /// Imitation that makes the base student.
    public var warmup = ImitationConfiguration(steps: 4000, batchSize: 32, learningRate: 2e-3, shape: .cosine)
    /// The arm that imitates the teacher's traces.
    public var sft = ImitationConfiguration(steps: 400, batchSize: 32, learningRate: 5e-4, shape: .constant)
    public var reinforcement = ReinforcementConfiguration()
    public var optimizer = OptimizerConfiguration(beta2: 0.99)
    public var learner = LearnerSettings()
    public var reward = RewardConfiguration()
    public var evaluation = EvaluationConfiguration()
    public var checkpoints = CheckpointConfiguration()

    public init() {}
}

/// A way to train the base student.
public enum Arm: String, Sendable, Codable, CaseIterable {
    /// Imitates the teacher's traces.
    case sft
    /// GRPO on the outcome alone.
    case grpo
    /// GRPO on the outcome and the structure reward.
    case rlkd
}

public struct TaskConfiguration: Sendable, Codable, Equatable {
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// Made on the spot.
        case quantityGraphs
        /// GSM8K's files.
        case gsm8k
        /// Any JSON Lines file, its fields named.
        case jsonl
    }

    /// What happens to a problem that does not fit the student's context.
    public enum Overlong: String, Sendable, Codable, CaseIterable {
        case drop, error
    }

    public var kind = Kind.quantityGraphs
    /// Files of problems with teacher traces, and of held-out problems.
    public var training: String?
    public var test: String?
    /// Held-out problems apart from the test's, for `evaluation.split: validation`.
    public var validation: String?
    /// Problems with a teacher trace that every arm gets, and held-out problems; 0 takes all there are.
    public var trainingProblems = 400
    public var testProblems = 256
    public var overlong = Overlong.drop
    /// Tokens of a completion at most, where the task has no limit of its own.
    public var maxNewTokens = 256
    /// Written between a question and its completion.
    public var separator = "\n"
    public var graphs = QuantityGraphConfiguration()
    /// Which fields of a JSON Lines row hold what.
    public var fields = ProblemFields(trace: "trace")

    public init() {}

    /// The file of a split, and the key that names it.
    func heldOutFile(_ split: EvaluationConfiguration.Split) -> (key: String, path: String?) {
        switch split {
        case .test: ("task.test", test)
        case .validation: ("task.validation", validation)
        }
    }
}

public struct StudentConfiguration: Sendable, Codable, Equatable {
    /// A Hugging Face directory to start from; without one, a fresh model of the shape below.
    public var model: String?
    public var hiddenSize = 96
    public var layers = 4
    public var attentionHeads = 6
    public var keyValueHeads = 6
    public var intermediateSize = 192
    public var maxPositions = 320
    /// Standard deviation of a fresh model's weights.
    public var initialDeviation: Float = 0.06

    public init() {}

    /// The key that makes a field of config.json, dotted.
    static func key(ofField field: String) -> String {
        let names = [
            "hidden_size": "hiddenSize", "intermediate_size": "intermediateSize", "num_hidden_layers": "layers",
            "num_attention_heads": "attentionHeads", "num_key_value_heads": "keyValueHeads",
            "max_position_embeddings": "maxPositions", "head_dim": "hiddenSize",
        ]
        return names[field].map { "student.\($0)" } ?? "student"
    }
}

public struct ImitationConfiguration: Sendable, Codable, Equatable {
    public var steps: Int
    /// Demonstrations an update.
    public var batchSize: Int
    public var learningRate: Double
    public var warmupSteps = 20
    public var shape: LearningRateSchedule.Shape

    public init(steps: Int, batchSize: Int, learningRate: Double, shape: LearningRateSchedule.Shape) {
        self.steps = steps
        self.batchSize = batchSize
        self.learningRate = learningRate
        self.shape = shape
    }
}

public struct ReinforcementConfiguration: Sendable, Codable, Equatable {
    public var problemsPerBatch = 16
    public var groupSize = 8
    public var learningRate = 3e-4
    public var warmupSteps = 10
    public var shape = LearningRateSchedule.Shape.constant
    public var clip: Float = 0.2
    /// Weight of the divergence from the base student; 0 leaves it out.
    public var referenceWeight: Float = 0
    public var sampling = SamplingParameters()
    /// Groups that each queue between stages holds.
    public var queueCapacity = 8

    public init() {}
}

/// How updates are computed, and what of the student they change.
public struct LearnerSettings: Sendable, Codable, Equatable {
    /// What a pass keeps of each layer for its backward pass: all, or the layer's input, from which the rest is computed again.
    public var activations = ActivationStorage.kept
    /// Rows of a micro-batch of demonstrations, about, and half those of one of rollouts: more amortise, fewer spread better over many
    /// threads. Gradients are the sums of micro-batches, whatever the threads.
    public var microBatchRows = LearnerConfiguration.usualMicroBatchRows
    public var adapters = AdapterSettings()

    /// Of `microBatchRows`, and of the benchmark's option of that meaning.
    package static let largestMicroBatchRows = RunConfiguration.largestCount

    public init() {}
}

/// Low-rank adapters (LoRA, arXiv 2106.09685) that are trained while the student's own weights stand still.
public struct AdapterSettings: Sendable, Codable, Equatable {
    /// 0 trains all weights instead.
    public var rank = 0
    /// The adapters' product is scaled by alpha / rank.
    public var alpha = 16.0
    /// The linear layers that have one; `all-linear` stands for those of the decoder's layers.
    public var targets = Projection.ofLayers

    public init() {}

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        rank = try values.decode(Int.self, forKey: .rank)
        alpha = try values.decode(Double.self, forKey: .alpha)
        let isAllLinear = try? values.decode([String].self, forKey: .targets) == [Projection.allLinear]
        guard isAllLinear != true else { return }
        targets = try values.decode([Projection].self, forKey: .targets)
    }
}

public struct EvaluationConfiguration: Sendable, Codable, Equatable {
    /// Samples a problem for pass@k, beside the greedy one.
    public var samples = 8
    public var temperature: Float = 1
    /// The held-out problems that models are measured on: `validation` while settings are chosen, `test` at the end.
    public var split = Split.test

    /// Splits share no problem.
    public enum Split: String, Sendable, Codable, CaseIterable {
        case test, validation
    }

    public init() {}
}

public struct CheckpointConfiguration: Sendable, Codable, Equatable {
    /// Updates between checkpoints of a reinforcement arm.
    public var every = 50
    /// Updates between checkpoints of an imitation phase.
    public var imitationEvery = 500
    /// Checkpoints kept of an arm.
    public var keep = 2
    /// Updates between samples written under `rollouts`.
    public var rolloutsEvery = 20

    public init() {}
}
