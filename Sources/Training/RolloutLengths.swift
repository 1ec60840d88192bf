import Tasks

/// Tokens of the rollouts that a reinforcement arm asks for, each as long as it may be.
struct RolloutLengths {
    /// Updates whose rollouts are added up: what comes later is like what came before.
    private static let updates = 500

    /// Of each problem that is visited.
    private(set) var longest: [(prompt: Int, newTokens: Int)] = []
    /// Tokens of any completion at most.
    var longestCompletion: Int { longest.map(\.newTokens).max() ?? 0 }
    /// In whole pages, of the rollouts of one update and their prompts, at most.
    private(set) var positions = 0.0

    init(_ configuration: RunConfiguration, _ lengths: SequenceLengths) {
        let settings = configuration.reinforcement
        func positions(_ problem: (prompt: Int, newTokens: Int)) -> Double {
            let request = RunningSequences.Request(prompt: problem.prompt, newTokens: problem.newTokens, samples: 1)
            return Double(request.fullPositions) + Double(settings.groupSize) * Double(request.ownPositions)
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
