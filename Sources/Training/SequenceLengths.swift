import Learning

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
