@testable import Tasks

/// Holds each step of a path against its graph, and says where the errors lie.
///
/// A step is judged from what the path itself has written so far: a value computed wrongly is one fault, and using that
/// value later is none.
struct PathAudit: Sendable, Hashable {
    /// What a step got wrong.
    enum Fault: String, Sendable, Codable, CaseIterable {
        /// Not needed, done before, or not yet possible.
        case choice
        /// The definition opened is not the graph's.
        case recall
        /// The values or the operator put in are not those of the definition.
        case substitution
        /// The value does not follow from the substitution.
        case compute
    }

    struct Entry: Sendable, Hashable {
        var action: QuantityAction
        /// The question needs this quantity.
        var isNeeded: Bool
        /// Not done before on this path.
        var isFirstTime: Bool
        /// Always for an opening; for a solving, opened before and its operands solved before.
        var isReady: Bool
        /// What the teacher would have done at this point.
        var isTeachersChoice: Bool
        /// Openings only.
        var isRecallRight: Bool?
        /// Solvings only.
        var isSubstitutionRight: Bool?
        /// Solvings only.
        var isArithmeticRight: Bool?

        var isChoiceRight: Bool { isNeeded && isFirstTime && isReady }

        var faults: [Fault] {
            let all: [(Fault, Bool?)] = [
                (.choice, isChoiceRight), (.recall, isRecallRight), (.substitution, isSubstitutionRight),
                (.compute, isArithmeticRight),
            ]
            return all.compactMap { $0.1 == false ? $0.0 : nil }
        }
    }

    var entries: [Entry]
    var isAnswerRight: Bool
    var isWellFormed: Bool

    init(_ reading: PathReading, of graph: QuantityGraph) {
        let needed = graph.needed
        let truth = graph.values()
        var opened = Set<QuantityName>()
        var written: [QuantityName: Int] = [:]
        var solved = Set<QuantityName>()
        entries = []
        for step in reading.steps {
            let name = step.action.name
            let definition = graph.definition(of: name)
            var entry = Entry(
                action: step.action, isNeeded: needed.contains(name), isFirstTime: true, isReady: true,
                isTeachersChoice: graph.teacherChoice(opened: opened, solved: solved) == step.action)
            switch step {
            case .open(let recalled):
                entry.isFirstTime = opened.insert(name).inserted
                entry.isRecallRight = recalled == definition
            case .solve(let solution):
                let operands = definition?.operandNames ?? []
                entry.isReady = opened.contains(name) && solved.isSuperset(of: operands)
                entry.isFirstTime = solved.insert(name).inserted
                let values = written.merging(truth) { own, _ in own }
                entry.isSubstitutionRight = definition.map { solution.substitutes(into: $0, values: values) } ?? false
                entry.isArithmeticRight = solution.follows(modulus: graph.modulus)
                written[name] = solution.value
            }
            entries.append(entry)
        }
        isAnswerRight = reading.finalAnswer == String(graph.answer)
        isWellFormed = reading.isWellFormed
    }

    /// The first step with a fault.
    var firstFaulty: Entry? { entries.first { !$0.faults.isEmpty } }
}

extension QuantitySolution {
    /// The definition's operator, names and constants stand in their places, and the names' values are these.
    func substitutes(into definition: QuantityDefinition, values: [QuantityName: Int]) -> Bool {
        func stands(_ operand: SubstitutedOperand, for defined: QuantityOperand) -> Bool {
            switch defined {
            case .constant(let value): operand.name == nil && operand.value == value
            case .name(let name): operand.name == name && operand.value == values[name]
            }
        }
        return operation == definition.operation && stands(left, for: definition.left)
            && stands(right, for: definition.right)
    }

    /// The value is what the substitution gives.
    func follows(modulus: Int) -> Bool {
        max(left.value, right.value) < modulus && operation(left.value, right.value, modulus: modulus) == value
    }
}
