/// Reads symbols off a text from the left; what does not match consumes nothing.
struct SymbolScanner {
    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    var isAtEnd: Bool { position == bytes.count }

    /// Goes back to an earlier position.
    mutating func rewind(to earlier: Int) {
        position = earlier
    }

    mutating func take(_ literal: String) -> Bool {
        guard bytes[position...].starts(with: literal.utf8) else { return false }
        position += literal.utf8.count
        return true
    }

    mutating func takeName() -> QuantityName? {
        guard !isAtEnd, let name = QuantityName(letter: bytes[position]) else { return nil }
        position += 1
        return name
    }

    /// A number as the vocabulary writes it: at most two digits, no leading zero.
    mutating func takeNumber() -> Int? {
        func digit(_ index: Int) -> Int? {
            guard index < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) else {
                return nil
            }
            return Int(bytes[index] - UInt8(ascii: "0"))
        }
        guard let first = digit(position) else { return nil }
        position += 1
        guard first != 0, let second = digit(position) else { return first }
        position += 1
        return first * 10 + second
    }

    /// `*`, `+` or `-`.
    mutating func takeOperator() -> QuantityOperator? {
        guard !isAtEnd, let operation = QuantityOperator(rawValue: bytes[position]) else { return nil }
        position += 1
        return operation
    }

    /// A name or a constant.
    mutating func takeOperand() -> QuantityOperand? {
        takeName().map(QuantityOperand.name) ?? takeNumber().map(QuantityOperand.constant)
    }

    /// The right-hand side of a definition in infix: `a*g`.
    mutating func takeInfix(_ name: QuantityName) -> QuantityDefinition? {
        guard let left = takeOperand(), let operation = takeOperator(), let right = takeOperand() else { return nil }
        return QuantityDefinition(name: name, left: left, operation: operation, right: right)
    }

    mutating func skipWhitespace() {
        while !isAtEnd, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[position]) { position += 1 }
    }
}
