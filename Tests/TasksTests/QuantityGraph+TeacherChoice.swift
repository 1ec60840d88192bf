@testable import Tasks

extension QuantityGraph {
    /// What the teacher would do next, wherever a path stands; nil when the question is solved. The reference for `teacherPath`, written
    /// step by step: down from the question to the first that is unsolved and has not been opened, or of which all operands are
    /// solved.
    func teacherChoice(opened: Set<QuantityName>, solved: Set<QuantityName>) -> QuantityAction? {
        guard !solved.contains(question) else { return nil }
        var name = question
        while opened.contains(name), let definition = definition(of: name) {
            guard let unsolved = definition.operandNames.first(where: { !solved.contains($0) }) else {
                return .solve(name)
            }
            name = unsolved
        }
        return .open(name)
    }
}
