import Trajectories

/// One side of a substitution: a constant, or a quantity's name and the value put in its place.
public struct SubstitutedOperand: Sendable, Hashable {
    public var name: QuantityName?
    public var value: Int

    public init(name: QuantityName?, value: Int) {
        self.name = name
        self.value = value
    }
}

/// A solving step as a path wrote it, right or wrong: `e;a:10*g:4e:7`.
public struct QuantitySolution: Sendable, Hashable {
    public var name: QuantityName
    public var left: SubstitutedOperand
    public var operation: QuantityOperator
    public var right: SubstitutedOperand
    public var value: Int
}

/// A step as a path wrote it, right or wrong.
public enum QuantityGraphStep: Sendable, Hashable {
    case open(QuantityDefinition)
    case solve(QuantitySolution)

    public var action: QuantityAction {
        switch self {
        case .open(let definition): .open(definition.name)
        case .solve(let solution): .solve(solution.name)
        }
    }

    /// Equal for both notations. Opening: ("open e", the definition recalled "e=a*g", its right-hand side "a*g"). Solving:
    /// ("solve e", the substitution "10*4", the value "7").
    public var step: Step {
        switch self {
        case .open(let definition):
            Step(
                metaReasoning: "open \(definition.name)", subProblem: definition.description,
                answer: definition.expression)
        case .solve(let solution):
            Step(
                metaReasoning: "solve \(solution.name)",
                subProblem: "\(solution.left.value)\(solution.operation)\(solution.right.value)",
                answer: String(solution.value))
        }
    }
}

/// What could be read of a path, up to its end or to the first place that is in neither notation.
public struct PathReading: Sendable, Hashable {
    public var steps: [QuantityGraphStep]
    /// As written; nil when the path does not come to it.
    public var finalAnswer: String?
    /// Where reading stopped and why; nil when all was read and the path ends with an answer.
    public var problem: String?

    public var isWellFormed: Bool { problem == nil }
    public var structure: Structure { Structure(steps: steps.map(\.step)) }
}
