/// A model that makes something else than numbers of its weights, though all of them are finite.
struct UnusableModel: Error, CustomStringConvertible {
    var path: String
    /// What is wrong, and what to look at.
    var problem: String

    var description: String { "\(path): \(problem)" }
}

extension UnusableModel {
    /// - Parameter row: whose log-probabilities are not numbers.
    init(path: String, row: String) {
        self.init(
            path: path,
            problem:
                "the log-probabilities of row \(row) are not numbers; are the weights whole, and is the temperature sane?"
        )
    }
}
