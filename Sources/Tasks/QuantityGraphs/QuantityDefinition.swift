/// The name of a quantity, one of twenty letters from `a` to `t`.
public struct QuantityName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// How many names there are.
    public static let count = 20
    public static let all: [QuantityName] = (0..<count).map(QuantityName.init(index:))

    /// 0 for `a`, 19 for `t`.
    public let index: Int

    init(index: Int) {
        self.index = index
    }

    /// Nil when the byte is no name's letter.
    public init?(letter: UInt8) {
        let index = Int(letter) - Int(UInt8(ascii: "a"))
        guard (0..<QuantityName.count).contains(index) else { return nil }
        self.index = index
    }

    public var description: String {
        String(UnicodeScalar(UInt8(ascii: "a") + UInt8(index)))
    }

    public static func < (left: QuantityName, right: QuantityName) -> Bool {
        left.index < right.index
    }
}

/// Arithmetic modulo a prime.
public enum QuantityOperator: UInt8, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    case plus = 0x2b
    case minus = 0x2d
    case times = 0x2a

    public var description: String { String(UnicodeScalar(rawValue)) }

    /// The result in 0..<modulus, for operands in that range.
    public func callAsFunction(_ left: Int, _ right: Int, modulus: Int) -> Int {
        switch self {
        case .plus: (left + right) % modulus
        case .minus: (left - right + modulus) % modulus
        case .times: left * right % modulus
        }
    }
}

/// One side of a definition.
public enum QuantityOperand: Sendable, Hashable, CustomStringConvertible {
    case constant(Int)
    case name(QuantityName)

    public var name: QuantityName? {
        if case .name(let name) = self { name } else { nil }
    }

    public var description: String {
        switch self {
        case .constant(let value): String(value)
        case .name(let name): name.description
        }
    }
}

/// How a quantity is got from two others, or from two constants: `e=a*g`, `a=5-6`.
public struct QuantityDefinition: Sendable, Hashable, CustomStringConvertible {
    public var name: QuantityName
    public var left: QuantityOperand
    public var operation: QuantityOperator
    public var right: QuantityOperand

    public init(name: QuantityName, left: QuantityOperand, operation: QuantityOperator, right: QuantityOperand) {
        self.name = name
        self.left = left
        self.operation = operation
        self.right = right
    }

    /// The quantities that it refers to, left first: none for a leaf.
    public var operandNames: [QuantityName] {
        [left.name, right.name].compactMap { $0 }
    }

    public var description: String { "\(name)=\(expression)" }

    /// The right-hand side: `a*g`.
    public var expression: String { "\(left)\(operation)\(right)" }
}
