import Files
import OrderedCollections

/// The functions that there are.
enum TemplateFunction: String, CaseIterable {
    case dict, namespace, range
    case raiseException = "raise_exception"
    case now = "strftime_now"
}

extension TemplateRenderer {
    /// As the sandbox of Jinja has it.
    private static let longestRange = 100_000

    mutating func call(
        _ function: TemplateValue, _ arguments: TemplateCall, _ position: TemplatePosition
    ) throws(ChatTemplateError) -> TemplateValue {
        if case .macro(let macro) = function { return try call(macro, arguments, position) }
        return try at(position) { renderer throws(TemplateFault) in try renderer.call(function, arguments) }
    }

    private mutating func call(
        _ function: TemplateValue, _ arguments: TemplateCall
    ) throws(TemplateFault) -> TemplateValue {
        switch function {
        case .undefined(let what): throw .refused("\(what) is undefined, and cannot be called")
        case .method(let name, let receiver): return try call(name, of: receiver.value, arguments)
        case .function(let name):
            try budget.charge(textsOf: arguments.values)
            switch TemplateFunction(rawValue: name) {
            case .raiseException:
                let message = try arguments.bound(to: ["message"], of: name)[0] ?? .string("")
                throw .refused(try text(of: message))
            case .namespace: return .namespace(TemplateValue.Namespace(try members(arguments, of: name)))
            case .dict: return try .dictionary(members(arguments, of: name))
            case .range: return try range(arguments)
            case .now:
                let format = try arguments.bound(to: ["format"], of: name)[0]
                let text = PythonText.now(format: try (format ?? .none).string("the format of \(name)"))
                // It may be four times as long as the format.
                try budget.charge(text: text)
                return .string(text)
            case nil: throw .unsupported("the function \(name)")
            }
        default: throw .refused("\(function.kind) cannot be called")
        }
    }

    private mutating func members(
        _ arguments: TemplateCall, of name: String
    ) throws(TemplateFault) -> OrderedDictionary<ExactString, TemplateValue> {
        var values: OrderedDictionary<ExactString, TemplateValue> = [:]
        if let first = arguments.positional.first {
            guard arguments.positional.count == 1, case .dictionary(let members) = first else {
                throw .unsupported("\(name) of anything but a dictionary and named values")
            }
            values = members.values
        }
        for (name, value) in arguments.named { values[ExactString(name)] = value }
        for (member, value) in values {
            try budget.charge(text: member.text)
            guard value.isData else { throw .unsupported("\(value.kind) within a namespace") }
            guard name != TemplateFunction.namespace.rawValue || !member.text.hasPrefix("_") else {
                throw .refused("a namespace's attribute must not start with an underscore")
            }
        }
        return values
    }

    private mutating func range(_ arguments: TemplateCall) throws(TemplateFault) -> TemplateValue {
        let numbers = arguments.positional.compactMap(\.asInteger)
        guard arguments.named.isEmpty, numbers.count == arguments.positional.count, 1...3 ~= numbers.count else {
            throw .refused("range takes one to three integers")
        }
        let (start, end) = numbers.count == 1 ? (0, numbers[0]) : (numbers[0], numbers[1])
        let step = numbers.count == 3 ? numbers[2] : 1
        guard step != 0 else { throw .refused("the step of a range is 0") }
        guard let length = Self.length(start, end, step), length <= Self.longestRange else {
            throw .excessive("a range of more than \(Self.longestRange)")
        }
        try budget.charge(length)
        return try .list((0..<length).map { .integer(start + $0 * step) })
    }

    private static func length(_ start: Int, _ end: Int, _ step: Int) -> Int? {
        let (distance, overflows) = end.subtractingReportingOverflow(start)
        guard !overflows, step != .min, distance != .min else { return nil }
        guard distance != 0, (distance > 0) == (step > 0) else { return 0 }
        return (distance.magnitude - 1) / step.magnitude < UInt(longestRange) + 1
            ? Int((distance.magnitude - 1) / step.magnitude) + 1 : nil
    }
}
