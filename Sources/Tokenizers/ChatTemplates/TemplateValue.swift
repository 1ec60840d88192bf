import Files
import OrderedCollections

/// What a template computes with: Python's values, as far as chat templates need them.
enum TemplateValue {
    /// What has no value; the text says what it would be.
    case undefined(String)
    case none
    case boolean(Bool)
    case integer(Int)
    case real(Double)
    case string(String)
    case list(Elements)
    case tuple(Elements)
    /// What a filter over elements gives: it can be gone through, and has neither length nor members.
    case generator(Elements)
    case dictionary(Members)
    case namespace(Namespace)
    case loop(Loop)
    case macro(TemplateMacro)
    case function(String)
    case method(String, of: Receiver)

    /// Values of a list, and how deep lists and dictionaries lie in one another there.
    struct Elements {
        let values: [TemplateValue]
        let depth: Int
    }

    struct Members {
        let values: OrderedDictionary<ExactString, TemplateValue>
        let depth: Int
    }

    /// Where a loop stands.
    struct Loop {
        let elements: [TemplateValue]
        let index: Int
    }

    /// The value that a method was taken from.
    final class Receiver {
        let value: TemplateValue

        init(_ value: TemplateValue) {
            self.value = value
        }
    }

    /// The only values that change: what a loop sets there outlives it.
    final class Namespace {
        var values: OrderedDictionary<ExactString, TemplateValue>

        init(_ values: OrderedDictionary<ExactString, TemplateValue>) {
            self.values = values
        }
    }

    /// Deeper lists would overflow the stack, be it only when they are freed.
    static let deepestNesting = 120

    /// - Throws: The reason, for lists that are too deep or hold what has no text.
    static func list(_ values: [TemplateValue]) throws(TemplateFault) -> TemplateValue {
        .list(Elements(values: values, depth: try depth(above: values)))
    }

    static func tuple(_ values: [TemplateValue]) throws(TemplateFault) -> TemplateValue {
        .tuple(Elements(values: values, depth: try depth(above: values)))
    }

    static func generator(_ values: [TemplateValue]) throws(TemplateFault) -> TemplateValue {
        .generator(Elements(values: values, depth: try depth(above: values)))
    }

    static func dictionary(
        _ values: OrderedDictionary<ExactString, TemplateValue>
    ) throws(TemplateFault) -> TemplateValue {
        .dictionary(Members(values: values, depth: try depth(above: values.values)))
    }

    private static func depth(above values: some Sequence<TemplateValue>) throws(TemplateFault) -> Int {
        var deepest = 0
        for value in values {
            guard value.isData else { throw .unsupported("\(value.kind) within a list or dictionary") }
            deepest = max(deepest, value.depth)
        }
        guard deepest < deepestNesting else { throw .excessive("lists nested deeper than \(deepestNesting)") }
        return deepest + 1
    }

    private var depth: Int {
        switch self {
        case .list(let elements), .tuple(let elements): elements.depth
        case .dictionary(let members): members.depth
        default: 0
        }
    }

    /// Whether lists, dictionaries and namespaces may hold it.
    var isData: Bool {
        switch self {
        case .generator, .namespace, .loop, .macro, .function, .method: false
        default: true
        }
    }

    init(_ value: JSONValue) throws(TemplateFault) {
        switch value {
        case .null: self = .none
        case .boolean(let value): self = .boolean(value)
        case .integer(let value): self = .integer(value)
        case .real(let value): self = .real(value)
        case .string(let value): self = .string(value)
        case .array(let values):
            var list: [TemplateValue] = []
            for value in values { list.append(try TemplateValue(value)) }
            self = try .list(list)
        case .object(let members):
            var values: OrderedDictionary<ExactString, TemplateValue> = [:]
            for member in members { values[ExactString(member.name)] = try TemplateValue(member.value) }
            self = try .dictionary(values)
        }
    }

    /// What it is, for messages.
    var kind: String {
        switch self {
        case .undefined(let name): "\(name), which is undefined,"
        case .none: "none"
        case .boolean: "a boolean"
        case .integer: "an integer"
        case .real: "a float"
        case .string: "a string"
        case .list: "a list"
        case .tuple: "a tuple"
        case .dictionary: "a dictionary"
        case .generator: "the result of a filter without list after it"
        case .namespace: "a namespace"
        case .loop: "the variable loop"
        case .macro: "a macro"
        case .function(let name): "the function \(name)"
        case .method(let name, _): "the method \(name)"
        }
    }

    var isUndefined: Bool {
        if case .undefined = self { true } else { false }
    }

    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .boolean(let value): value
        case .integer(let value): value != 0
        case .real(let value): value != 0
        case .string(let value): !value.utf8.isEmpty
        case .list(let elements), .tuple(let elements): !elements.values.isEmpty
        case .dictionary(let members): !members.values.isEmpty
        case .generator, .namespace, .loop, .macro, .function, .method: true
        }
    }

    /// Booleans count as 0 and 1.
    var asInteger: Int? {
        switch self {
        case .boolean(let value): value ? 1 : 0
        case .integer(let value): value
        default: nil
        }
    }

    var asReal: Double? {
        if case .real(let value) = self { value } else { asInteger.map(Double.init) }
    }

    /// Python's `==`. Lists that hold a list twice would else take time exponential in their depth.
    static func equal(
        _ left: TemplateValue, _ right: TemplateValue, _ budget: inout TemplateBudget
    ) throws(TemplateFault) -> Bool {
        try budget.charge()
        switch (left, right) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.string(let left), .string(let right)):
            try budget.charge(text: left)
            return left.utf8.elementsEqual(right.utf8)
        case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
            guard left.values.count == right.values.count else { return false }
            for (left, right) in zip(left.values, right.values) where try !equal(left, right, &budget) { return false }
            return true
        case (.dictionary(let left), .dictionary(let right)):
            guard left.values.count == right.values.count else { return false }
            for (name, value) in left.values {
                try budget.charge(text: name.text)
                guard let other = right.values[name], try equal(value, other, &budget) else { return false }
            }
            return true
        case (.namespace(let left), .namespace(let right)): return left === right
        default:
            if let left = left.asInteger, let right = right.asInteger { return left == right }
            if let left = left.asReal, let right = right.asReal { return left == right }
            return false
        }
    }
}

/// A failure that does not know its place in the template yet.
enum TemplateFault: Error {
    case refused(String)
    case unsupported(String)
    case excessive(String)

    func at(_ position: TemplatePosition) -> ChatTemplateError {
        switch self {
        case .refused(let reason): position.error(.refused, reason)
        case .unsupported(let what): position.unsupported(what)
        case .excessive(let reason): position.error(.excessive, reason)
        }
    }
}
