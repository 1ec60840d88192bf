import Learning
import Models
import Tasks

/// Tokens of the longest of a run's sequences, and how many there are.
struct SequenceLengths: Sendable {
    /// Of any prompt with its completion.
    var longest: Int
    /// Of all sets together.
    var problems = 0
    /// That reading the task's files took.
    var readingBytes = 0.0
    /// Of each test set, a prompt and where its completion is cut in the student's notation and in the teacher's.
    private var tests: [[(prompt: Int, newTokens: Int, teacherTokens: Int)]]?
    /// That any pass reaches; nil where that is not known.
    var positions: Int?
    /// Of each training problem, a prompt and where its completion is cut; empty where they are not known.
    private(set) var training: [(prompt: Int, newTokens: Int)] = []
    /// Of what the warm-up imitates, and of the training problems' traces.
    var warmup: DemonstrationLengths
    var traced: DemonstrationLengths

    /// Where nothing else is known.
    init(longest: Int) {
        self.longest = longest
        warmup = DemonstrationLengths(longest: longest)
        traced = warmup
    }

    /// - Parameter warmup: some demonstrations of the warm-up; the training problems' own by default.
    init(
        longest: Int, training: [PreparedProblem], tests sets: [TestSet], warmup demonstrations: [Demonstration] = []
    ) {
        self.longest = longest
        problems = training.count + sets.reduce(0) { $0 + $1.problems.count }
        tests = sets.map { set in set.problems.map { ($0.prompt.count, $0.maxNewTokens, $0.maxNewTeacherTokens) } }
        self.training = training.map { ($0.prompt.count, $0.maxNewTokens) }
        traced = DemonstrationLengths(training.compactMap(\.demonstration)) ?? DemonstrationLengths(longest: longest)
        warmup = DemonstrationLengths(demonstrations) ?? traced
    }

    /// The test sets' prompts with the most tokens of a completion.
    ///
    /// - Parameter problems: of a set, where the sets are not known.
    func evaluation(imitatingTeacher: Bool, problems: Int) -> [[(prompt: Int, newTokens: Int)]] {
        tests?.map { set in
            set.map { ($0.prompt, imitatingTeacher ? $0.teacherTokens : $0.newTokens) }
        } ?? [Array(repeating: (1, max(1, longest - 1)), count: problems)]
    }
}

/// Tokens of the rollouts that a reinforcement arm asks for, each as long as it may be.
struct RolloutLengths {
    /// Updates whose rollouts are added up: what comes later is like what came before.
    private static let updates = 500

    /// Of each problem that is visited.
    private(set) var longest: [(prompt: Int, newTokens: Int)] = []
    /// In whole pages, of the rollouts of one update and their prompts, at most.
    private(set) var positions = 0.0

    init(_ configuration: RunConfiguration, _ lengths: SequenceLengths) {
        let settings = configuration.reinforcement
        let samples = Double(settings.groupSize)
        func positions(_ problem: (prompt: Int, newTokens: Int)) -> Double {
            let request = RunningSequences.Request(prompt: problem.prompt, newTokens: problem.newTokens, samples: 1)
            return Double(request.promptPositions) + samples * Double(request.ownPositions)
        }
        guard !lengths.training.isEmpty else {
            longest = [(lengths.longest, lengths.longest)]
            self.positions = Double(settings.problemsPerBatch) * positions(longest[0])
            return
        }
        let order = ProblemOrder(count: lengths.training.count, seed: configuration.seed)
        // Beyond one visit to every problem a larger batch finds no others.
        let perUpdate = min(settings.problemsPerBatch, lengths.training.count)
        for update in 0..<min(configuration.steps, Self.updates) {
            let problems = (update * perUpdate..<(update + 1) * perUpdate).map { order.problem(at: $0).index }
            self.positions = max(self.positions, problems.reduce(0) { $0 + positions(lengths.training[$1]) })
        }
        self.positions *= Double(settings.problemsPerBatch) / Double(perUpdate)
        // Every problem is visited once before any is again.
        let visited = min(configuration.steps * perUpdate, lengths.training.count)
        longest = (0..<visited).map { lengths.training[order.problem(at: $0).index] }
    }
}

/// Tokens of demonstrations.
struct DemonstrationLengths: Sendable {
    /// A prompt's and a trace's token in a batch: its number; in a micro-batch: that, its position, and of the trace's tokens the
    /// target with its weight.
    private static let tokenBytes = Double(MemoryLayout<Int32>.stride)
    private static let rowBytes = 2 * tokenBytes
    private static let targetBytes = Double(MemoryLayout<TrainingBatch.Target>.stride + MemoryLayout<Float>.stride)
    /// Arrays that grow token by token double, so that a quarter of one is empty in the mean.
    private static let growth = 4.0 / 3

    /// Of a prompt with its trace.
    var longest: Int
    private var meanTokens: Double
    private var meanTrace: Double
    /// The largest part of a demonstration's rows that its trace takes.
    var tracePart: Double

    /// Where nothing else is known.
    init(longest: Int) {
        self.longest = longest
        (meanTokens, meanTrace, tracePart) = (Double(longest), Double(longest), 1)
    }

    /// Nil of none.
    init?(_ demonstrations: [Demonstration]) {
        guard !demonstrations.isEmpty else { return nil }
        let count = Double(demonstrations.count)
        longest = demonstrations.map { $0.prompt.count + $0.completion.count }.max() ?? 1
        meanTokens = demonstrations.reduce(0) { $0 + Double($1.prompt.count + $1.completion.count) } / count
        meanTrace = demonstrations.reduce(0) { $0 + Double($1.completion.count) } / count
        // The last token has no row.
        tracePart =
            demonstrations.map {
                Double($0.completion.count) / Double(max(1, $0.prompt.count + $0.completion.count - 1))
            }.max() ?? 1
    }

    /// Of one in a batch, in the mean.
    var meanBytes: Double {
        Double(MemoryLayout<Demonstration>.stride) + 2 * MemoryNeed.arrayBytes + Self.tokenBytes * meanTokens
    }

    /// Of one as rows of a micro-batch, in the mean.
    var meanMicroBatchBytes: Double { Self.growth * (Self.rowBytes * meanTokens + Self.targetBytes * meanTrace) }
}
