/// The tests that there are: what may follow `is`.
enum TemplateTest: String {
    case boolean, defined, divisibleby, even, `false`, float, integer, iterable, mapping, none, number, odd, sequence
    case string, `true`, undefined, sameas
    case equal = "=="
    case different = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case within = "in"

    private static let synonyms = [
        "eq": "==", "equalto": "==", "ne": "!=", "lt": "<", "lessthan": "<", "le": "<=", "gt": ">",
        "greaterthan": ">", "ge": ">=",
    ]

    init?(_ name: String) {
        self.init(rawValue: Self.synonyms[name] ?? name)
    }

    var takesArgument: Bool {
        switch self {
        case .divisibleby, .sameas, .equal, .different, .less, .lessOrEqual, .greater, .greaterOrEqual, .within: true
        default: false
        }
    }
}

extension TemplateRenderer {
    mutating func test(
        _ value: TemplateValue, _ name: String, _ call: TemplateCall
    ) throws(TemplateFault) -> Bool {
        guard let test = TemplateTest(name) else { throw .unsupported("the test \(name)") }
        guard call.named.isEmpty, call.positional.count == (test.takesArgument ? 1 : 0) else {
            throw .refused("the test \(name) takes \(test.takesArgument ? "one argument" : "no arguments")")
        }
        if test.takesArgument { return try self.test(value, test, call.positional[0]) }
        switch (test, value) {
        case (.defined, _): return !value.isUndefined
        case (.undefined, _): return value.isUndefined
        case (.none, .none), (.string, .string), (.mapping, .dictionary), (.boolean, .boolean), (.float, .real),
            (.integer, .integer), (.number, .integer), (.number, .real), (.number, .boolean), (.true, .boolean(true)),
            (.false, .boolean(false)):
            return true
        case (.iterable, .undefined), (.sequence, .undefined), (.iterable, .string), (.sequence, .string),
            (.iterable, .list), (.sequence, .list), (.iterable, .tuple), (.sequence, .tuple), (.iterable, .dictionary),
            (.sequence, .dictionary):
            return true
        case (.odd, _), (.even, _):
            if let integer = value.asInteger { return integer.isMultiple(of: 2) == (test == .even) }
            guard let number = value.asReal else { throw .refused("\(value.kind) is neither odd nor even") }
            let remainder = abs(number.truncatingRemainder(dividingBy: 2))
            return remainder == (test == .even ? 0 : 1)
        case (_, .generator), (_, .macro), (_, .function), (_, .method), (_, .namespace), (_, .loop):
            throw .unsupported("the test \(name) of \(value.kind)")
        default: return false
        }
    }

    private mutating func test(
        _ value: TemplateValue, _ test: TemplateTest, _ argument: TemplateValue
    ) throws(TemplateFault) -> Bool {
        switch test {
        case .divisibleby:
            guard let value = value.asInteger, let argument = argument.asInteger, argument != 0 else {
                throw .refused("divisibleby takes integers, and none is 0")
            }
            return value.isMultiple(of: argument)
        case .sameas:
            switch (value, argument) {
            case (.none, _), (_, .none), (.boolean, .boolean): return try equal(value, argument)
            default: throw .unsupported("sameas of \(value.kind) and \(argument.kind)")
            }
        default: return try compare(value, test.rawValue, argument)
        }
    }
}
