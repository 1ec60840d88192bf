extension Rational {
    /// Reads the whole of a normalised text: `-1,234.50`, `.5`, `3/4`, `\frac{3}{4}`, `2\frac{1}{2}`.
    init?(parsing text: String) {
        let bytes = Array(text.utf8)
        var position = 0
        guard let value = Rational.value(bytes, &position), position == bytes.count else { return nil }
        self = value
    }

    private static func value(_ bytes: [UInt8], _ position: inout Int) -> Rational? {
        let sign = takeSign(bytes, &position)
        let value: Rational?
        if let fraction = takeFraction(bytes, &position) {
            value = fraction
        } else {
            guard let number = takeNumber(bytes, &position) else { return nil }
            if take("/", bytes, &position) {
                let signBelow = takeSign(bytes, &position)
                value = takeNumber(bytes, &position).flatMap { number / $0 }.flatMap { $0 * signBelow }
            } else if let fraction = takeFraction(bytes, &position) {
                value = number + fraction
            } else {
                value = number
            }
        }
        return value.flatMap { $0 * sign }
    }

    /// `\frac{a}{b}` of two plain numbers.
    private static func takeFraction(_ bytes: [UInt8], _ position: inout Int) -> Rational? {
        let start = position
        func takeGroup() -> Rational? {
            guard take("{", bytes, &position) else { return nil }
            let sign = takeSign(bytes, &position)
            guard let number = takeNumber(bytes, &position), take("}", bytes, &position) else { return nil }
            return number * sign
        }
        guard take("\\frac", bytes, &position), let above = takeGroup(), let below = takeGroup() else {
            position = start
            return nil
        }
        return above / below
    }

    /// Digits, perhaps in groups of three joined by commas, and perhaps a decimal part.
    static func takeNumber(_ bytes: [UInt8], _ position: inout Int) -> Rational? {
        let start = position
        var digits = 0
        var scale = 1
        var count = 0
        var overflows = false
        func takeDigits(upTo limit: Int, isDecimal: Bool) -> Int {
            var taken = 0
            while taken < limit, position < bytes.count, (0x30...0x39).contains(bytes[position]) {
                let (shifted, overflowsShift) = digits.multipliedReportingOverflow(by: 10)
                let (sum, overflowsSum) = shifted.addingReportingOverflow(Int(bytes[position]) - 0x30)
                let (scaled, overflowsScale) = scale.multipliedReportingOverflow(by: isDecimal ? 10 : 1)
                overflows = overflows || overflowsShift || overflowsSum || overflowsScale
                (digits, scale) = (sum, scaled)
                position += 1
                taken += 1
            }
            count += taken
            return taken
        }
        let leading = takeDigits(upTo: .max, isDecimal: false)
        while (1...3).contains(leading), position + 3 < bytes.count, bytes[position] == 0x2c,
            bytes[position + 1...position + 3].allSatisfy({ (0x30...0x39).contains($0) }),
            position + 4 == bytes.count || !(0x30...0x39).contains(bytes[position + 4])
        {
            position += 1
            _ = takeDigits(upTo: 3, isDecimal: false)
        }
        if position + 1 < bytes.count, bytes[position] == 0x2e, (0x30...0x39).contains(bytes[position + 1]) {
            position += 1
            _ = takeDigits(upTo: .max, isDecimal: true)
        }
        guard count > 0 else {
            position = start
            return nil
        }
        return overflows ? nil : Rational(digits, over: scale)
    }

    private static func takeSign(_ bytes: [UInt8], _ position: inout Int) -> Rational {
        if take("-", bytes, &position) { return minusOne }
        _ = take("+", bytes, &position)
        return one
    }

    private static func take(_ literal: String, _ bytes: [UInt8], _ position: inout Int) -> Bool {
        guard bytes[position...].starts(with: literal.utf8) else { return false }
        position += literal.utf8.count
        return true
    }
}
