/// Quantities defined by one another, shuffled, and the one asked for.
///
/// For example `a=5-6|e=a*g|g=3+1|m=a+e|?e`: `e` needs `a` and `g`; `m` is a distractor. Arithmetic is modulo a prime.
///
/// Invariant: every name is defined once, every name referred to is defined, nothing refers to itself however far round.
public struct QuantityGraph: Sendable, Hashable {
    /// A prime from 11 to 23.
    public let modulus: Int
    /// In the order in which the problem gives them.
    public let definitions: [QuantityDefinition]
    /// The quantity asked for.
    public let question: QuantityName
    /// By name's index, nil where the name is not defined.
    private let positions: [Int?]

    /// Throws `QuantityGraphError` when the invariant does not hold or a constant is not below the modulus.
    public init(modulus: Int, definitions: [QuantityDefinition], question: QuantityName) throws(QuantityGraphError) {
        guard QuantityGraphConfiguration.moduli.contains(modulus) else { throw .modulus(modulus) }
        self.init(valid: definitions, modulus: modulus, question: question)
        guard positions[question.index] != nil else { throw .undefined(question) }
        for (index, definition) in definitions.enumerated() {
            guard positions[definition.name.index] == index else { throw .definedTwice(definition.name) }
            for operand in [definition.left, definition.right] {
                switch operand {
                case .constant(let value):
                    guard (0..<modulus).contains(value) else { throw .constant(value, modulus: modulus) }
                case .name(let name):
                    guard positions[name.index] != nil else { throw .undefined(name) }
                }
            }
        }
        guard let cyclic = nameInCycle() else { return }
        throw .cycle(cyclic)
    }

    /// For definitions known to satisfy the invariant.
    init(valid definitions: [QuantityDefinition], modulus: Int, question: QuantityName) {
        self.modulus = modulus
        self.definitions = definitions
        self.question = question
        var positions = [Int?](repeating: nil, count: QuantityName.count)
        for (index, definition) in definitions.enumerated() where positions[definition.name.index] == nil {
            positions[definition.name.index] = index
        }
        self.positions = positions
    }

    /// Nil when the name is not defined here.
    public func definition(of name: QuantityName) -> QuantityDefinition? {
        positions[name.index].map { definitions[$0] }
    }

    /// The quantities that the question needs, itself among them.
    public var needed: Set<QuantityName> {
        Set(teacherPath().map(\.name))
    }

    /// Every quantity's value, in 0..<modulus.
    public func values() -> [QuantityName: Int] {
        var values: [QuantityName: Int] = [:]
        func value(of operand: QuantityOperand) -> Int {
            switch operand {
            case .constant(let value): return value
            case .name(let name):
                if let value = values[name] { return value }
                guard let definition = definition(of: name) else { return 0 }
                let result = definition.operation(
                    value(of: definition.left), value(of: definition.right), modulus: modulus)
                values[name] = result
                return result
            }
        }
        for definition in definitions { _ = value(of: .name(definition.name)) }
        return values
    }

    /// The value of the question.
    public var answer: Int { values()[question] ?? 0 }

    /// Removes, again and again, what refers only to what was removed before; what is left refers to itself.
    private func nameInCycle() -> QuantityName? {
        var rest = definitions
        var settled = Set<QuantityName>()
        while true {
            let ready = rest.filter { settled.isSuperset(of: $0.operandNames) }
            if ready.isEmpty { return rest.first?.name }
            settled.formUnion(ready.map(\.name))
            rest.removeAll { settled.contains($0.name) }
        }
    }
}

/// Why definitions make no graph.
public enum QuantityGraphError: Error, Sendable, Hashable, CustomStringConvertible {
    case modulus(Int)
    case constant(Int, modulus: Int)
    case undefined(QuantityName)
    case definedTwice(QuantityName)
    case cycle(QuantityName)
    /// The text is not in the notation of a question; the offset counts UTF-8 bytes.
    case malformed(offset: Int, expected: String)

    public var description: String {
        switch self {
        case .modulus(let modulus): "modulus \(modulus) is not a prime from 11 to 23"
        case .constant(let value, let modulus): "constant \(value) is not below the modulus \(modulus)"
        case .undefined(let name): "quantity \(name) is used but not defined"
        case .definedTwice(let name): "quantity \(name) is defined twice"
        case .cycle(let name): "quantity \(name) is defined by itself"
        case .malformed(let offset, let expected): "question: expected \(expected) at byte \(offset)"
        }
    }
}
