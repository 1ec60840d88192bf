import Foundation

/// Python's arithmetic, without its unbounded integers.
enum TemplateArithmetic {
    static func signed(_ value: TemplateValue, isNegative: Bool) throws(TemplateFault) -> TemplateValue {
        if let integer = value.asInteger {
            guard isNegative else { return .integer(integer) }
            let (result, overflows) = 0.subtractingReportingOverflow(integer)
            if overflows { throw .unsupported("an integer beyond 64 bits") }
            return .integer(result)
        }
        guard let real = value.asReal else { throw .refused("\(value.kind) has no sign") }
        return .real(isNegative ? -real : real)
    }

    static func apply(
        _ symbol: String, _ left: TemplateValue, _ right: TemplateValue, _ budget: inout TemplateBudget
    ) throws(TemplateFault) -> TemplateValue {
        switch (symbol, left, right) {
        case ("+", .string(let left), .string(let right)):
            try budget.charge(textLength: left.utf8.count + right.utf8.count)
            return .string(left + right)
        case ("+", .list(let left), .list(let right)):
            try budget.charge(left.values.count + right.values.count)
            return try .list(left.values + right.values)
        case ("+", .tuple(let left), .tuple(let right)):
            try budget.charge(left.values.count + right.values.count)
            return try .tuple(left.values + right.values)
        case ("*", .string(let text), _) where right.asInteger != nil:
            return try repeated(text, right.asInteger ?? 0, &budget)
        case ("*", _, .string(let text)) where left.asInteger != nil:
            return try repeated(text, left.asInteger ?? 0, &budget)
        case ("%", .string, _): throw .unsupported("formatting with %")
        default: break
        }
        if symbol != "/", let left = left.asInteger, let right = right.asInteger {
            return .integer(try integers(symbol, left, right))
        }
        guard let first = left.asReal, let second = right.asReal else {
            throw .refused("\(left.kind) \(symbol) \(right.kind) has no value")
        }
        return .real(try reals(symbol, first, second))
    }

    private static func repeated(
        _ text: String, _ count: Int, _ budget: inout TemplateBudget
    ) throws(TemplateFault) -> TemplateValue {
        guard count > 0, !text.isEmpty else { return .string("") }
        let (length, overflows) = text.utf8.count.multipliedReportingOverflow(by: count)
        try budget.charge(textLength: overflows ? .max : length)
        return .string(String(repeating: text, count: count))
    }

    private static func integers(_ symbol: String, _ left: Int, _ right: Int) throws(TemplateFault) -> Int {
        let (result, overflows): (Int, Bool)
        switch symbol {
        case "+": (result, overflows) = left.addingReportingOverflow(right)
        case "-": (result, overflows) = left.subtractingReportingOverflow(right)
        case "*": (result, overflows) = left.multipliedReportingOverflow(by: right)
        default:
            guard right != 0 else { throw .refused("division by zero") }
            let (quotient, isTooLarge) = left.dividedReportingOverflow(by: right)
            if isTooLarge { throw .unsupported("an integer beyond 64 bits") }
            let remainder = left % right
            // Python rounds down, and the remainder has the divisor's sign.
            let isRounded = remainder != 0 && (remainder < 0) != (right < 0)
            return symbol == "//" ? quotient - (isRounded ? 1 : 0) : remainder + (isRounded ? right : 0)
        }
        if overflows { throw .unsupported("an integer beyond 64 bits") }
        return result
    }

    private static func reals(_ symbol: String, _ left: Double, _ right: Double) throws(TemplateFault) -> Double {
        switch symbol {
        case "+": return left + right
        case "-": return left - right
        case "*": return left * right
        default: break
        }
        guard right != 0 else { throw .refused("division by zero") }
        if symbol == "/" { return left / right }
        let remainder = left.truncatingRemainder(dividingBy: right)
        let isRounded = remainder != 0 && (remainder < 0) != (right < 0)
        if symbol == "%" { return isRounded ? remainder + right : remainder }
        let quotient = (left - remainder) / right
        return isRounded ? quotient - 1 : quotient.rounded()
    }
}
