import Trajectories

/// Keeps the problems that fit the student's context with their trace, and a completion as long as allowed.
struct ContextFitting {
    let task: TaskConfiguration
    let student: StoredStudent

    /// - Parameter limit: problems at most; 0 takes all.
    func prepare(_ problems: [Problem], limit: Int, file: String) throws -> (problems: [PreparedProblem], dropped: Int)
    {
        var kept: [PreparedProblem] = []
        var dropped = 0
        for problem in problems {
            guard limit == 0 || kept.count < limit else { break }
            if let prepared = try prepare(problem, file: file) {
                kept.append(prepared)
            } else if task.overlong == .drop {
                dropped += 1
            } else {
                throw ConfigurationError(
                    source: file, key: problem.id,
                    reason: "does not fit the student's context of \(context); set task.overlong to drop")
            }
        }
        guard !kept.isEmpty else {
            throw ConfigurationError(
                source: file, key: "",
                reason: "not one of its \(problems.count) rows fits the student's context of \(context) tokens")
        }
        return (kept, dropped)
    }

    private var context: Int { student.configuration.maxPositions }

    /// Nil when the problem does not fit.
    private func prepare(_ problem: Problem, file: String) throws -> PreparedProblem? {
        var prompted = problem
        prompted.question += task.separator
        let prompt = try student.tokenizer.encode(prompted.question, addSpecialTokens: true)
        guard !prompt.isEmpty else {
            throw ConfigurationError(
                source: file, key: problem.id,
                reason: "has an empty question, and the tokenizer adds no token before it")
        }
        let trace = try problem.traces.first.map {
            try student.tokenizer.encode($0.text, addSpecialTokens: false) + [student.end]
        }
        let room = context - prompt.count
        guard room > 0, trace.map({ $0.count <= room }) ?? true else { return nil }
        let limit = min(task.maxNewTokens, room)
        return PreparedProblem(
            problem: prompted, prompt: prompt, maxNewTokens: limit, maxNewTeacherTokens: limit,
            demonstration: trace.map { .init(prompt: prompt, completion: $0) })
    }
}
