import ArgumentParser

/// A number that an option takes, with what was typed: 32-bit floats turn numbers beyond them into infinity, or into zero.
struct WrittenNumber: ExpressibleByArgument {
    let text: String
    let value: Float

    init(_ value: Float) {
        self.value = value
        text = "\(value)"
    }

    init?(argument: String) {
        guard let value = Float(argument) else { return nil }
        self.value = value
        text = argument
    }

    var defaultValueDescription: String { text }

    /// Whether the value is what was typed, but for rounding. Words such as `inf` are; they have no digits.
    var isHeld: Bool {
        let mantissa = text.prefix { $0 != "e" && $0 != "E" }
        return switch value.magnitude {
        case .infinity: !mantissa.contains(where: \.isNumber)
        case 0: !mantissa.contains { $0.isNumber && $0 != "0" }
        default: true
        }
    }
}
