/// A model that makes something else than numbers of its weights, though all of them are finite.
struct UnusableModel: Error, CustomStringConvertible {
    var path: String
    /// What is wrong, and what to look at.
    var problem: String

    /// - Parameter row: whose log-probabilities are not numbers.
    init(path: String, row: String) {
        self.path = path
        problem =
            "the log-probabilities of row \(row) are not numbers; are the weights whole, and is the temperature sane?"
    }

    /// - Parameter outcome: of a benchmark on random tokens.
    init(path: String, outcome: any Error) {
        self.path = path
        problem = "\(outcome); are the weights whole?"
    }

    var description: String { "\(path): \(problem)" }
}
