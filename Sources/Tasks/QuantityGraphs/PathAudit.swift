/// Holds each step of a path against its graph, so that evaluation can say where the errors lie.
///
/// A step is judged from what the path itself has written so far: a value computed wrongly is one fault, and using that
/// value later is none.
public struct PathAudit: Sendable, Hashable {
    /// What a step got wrong.
    public enum Fault: String, Sendable, Codable, CaseIterable {
        /// Not needed, done before, or not yet possible.
        case choice
        /// The definition opened is not the graph's.
        case recall
        /// The values or the operator put in are not those of the definition.
        case substitution
        /// The value does not follow from the substitution.
        case compute
    }

    public struct Entry: Sendable, Hashable {
        public var action: QuantityAction
        /// The question needs this quantity.
        public var isNeeded: Bool
        /// Not done before on this path.
        public var isFirstTime: Bool
        /// Always for an opening; for a solving, opened before and its operands solved before.
        public var isReady: Bool
        /// What the teacher would have done at this point.
        public var isTeachersChoice: Bool
        /// Openings only.
        public var isRecallRight: Bool?
        /// Solvings only.
        public var isSubstitutionRight: Bool?
        /// Solvings only.
        public var isArithmeticRight: Bool?

        public var isChoiceRight: Bool { isNeeded && isFirstTime && isReady }

        public var faults: [Fault] {
            let all: [(Fault, Bool?)] = [
                (.choice, isChoiceRight), (.recall, isRecallRight), (.substitution, isSubstitutionRight),
                (.compute, isArithmeticRight),
            ]
            return all.compactMap { $0.1 == false ? $0.0 : nil }
        }
    }

    public var entries: [Entry]
    public var isAnswerRight: Bool
    public var isWellFormed: Bool

    public init(_ reading: PathReading, of graph: QuantityGraph) {
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
    public var firstFaulty: Entry? { entries.first { !$0.faults.isEmpty } }
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

/// How often each kind of decision was right, over many paths.
public struct PathAuditTally: Sendable, Hashable {
    public struct Share: Sendable, Hashable {
        public var right = 0
        public var total = 0

        /// 0 to 1; nil when there was none.
        public var rate: Double? { total == 0 ? nil : Double(right) / Double(total) }
    }

    /// Each kind among the steps that have it.
    public private(set) var shares: [PathAudit.Fault: Share] = [:]
    /// Openings that the teacher would have chosen at that point: the trial's "name to open right".
    public private(set) var teachersOpenings = Share()
    public private(set) var answers = Share()
    public private(set) var wellFormed = Share()

    public init() {}

    public mutating func add(_ audit: PathAudit) {
        for entry in audit.entries {
            count(.choice, entry.isChoiceRight)
            count(.recall, entry.isRecallRight)
            count(.substitution, entry.isSubstitutionRight)
            count(.compute, entry.isArithmeticRight)
            if case .open = entry.action {
                teachersOpenings.total += 1
                teachersOpenings.right += entry.isTeachersChoice ? 1 : 0
            }
        }
        answers.total += 1
        answers.right += audit.isAnswerRight ? 1 : 0
        wellFormed.total += 1
        wellFormed.right += audit.isWellFormed ? 1 : 0
    }

    private mutating func count(_ kind: PathAudit.Fault, _ isRight: Bool?) {
        guard let isRight else { return }
        shares[kind, default: Share()].total += 1
        shares[kind, default: Share()].right += isRight ? 1 : 0
    }
}
