import Files

/// Fields that may be absent, which null is too.
extension JSONField {
    /// The member of a name of which there is a list.
    subscript(key: some CodingKey) -> JSONField { self[key.stringValue] }

    /// Nil where the field is absent.
    func optional<Value>(_ read: (JSONField) throws -> Value) throws -> Value? {
        isNull ? nil : try read(self)
    }

    func required<Value>(_ read: (JSONField) throws -> Value) throws -> Value {
        guard let value = try optional(read) else { throw failure("the field is missing or null") }
        return value
    }

    /// A number without a fraction, however it is written, that its type holds.
    func wholeNumber<Number: FixedWidthInteger>() throws -> Number {
        let (whole, text): (Number?, String)
        switch value {
        case .integer(let number): (whole, text) = (Number(exactly: number), "\(number)")
        case .real(let number): (whole, text) = (Number(exactly: number), "\(number)")
        default: throw failure("expected an integer, found \(value.kind)")
        }
        guard let whole else {
            let isWhole = Double(text).map { $0.rounded() == $0 } ?? true
            throw failure("is \(text): it must be a whole number" + (isWhole ? ", \(Number.min) to \(Number.max)" : ""))
        }
        return whole
    }

    /// A number within the range of single precision.
    func single() throws -> Float {
        let number = try number()
        guard Float(number).isFinite else { throw failure("is \(number): it must be within what the field holds") }
        return Float(number)
    }

    /// The field where it has one value, its elements where it has a list, and none where it is absent.
    func oneOrSeveral() throws -> [JSONField] {
        if case .array = value { return try elements() }
        return isNull ? [] : [self]
    }
}
