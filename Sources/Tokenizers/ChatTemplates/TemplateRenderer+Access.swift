import Files
import OrderedCollections

extension TemplateRenderer {
    /// `value.name`: a method first, then a member, as Jinja looks for them.
    func attribute(_ name: String, of value: TemplateValue) throws(TemplateFault) -> TemplateValue {
        if TemplateMethod.names(of: value).contains(name) { return .method(name, of: TemplateValue.Receiver(value)) }
        switch value {
        case .undefined(let what): throw .refused("\(what) is undefined, and has no \(name)")
        case .dictionary(let members):
            if let member = members.values[ExactString(name)] { return member }
        case .namespace(let namespace):
            if let member = namespace.values[ExactString(name)] { return member }
        case .loop(let loop): return try loop.attribute(name)
        case .macro, .function, .method: throw .unsupported("an attribute of \(value.kind)")
        default: break
        }
        guard !name.hasPrefix("_") else { throw .unsupported("the attribute \(name)") }
        return .undefined("attribute '\(name)' of \(value.kind)")
    }

    /// `value[key]`: a member first, then a method.
    mutating func item(_ key: TemplateValue, of value: TemplateValue) throws(TemplateFault) -> TemplateValue {
        try budget.charge(textsOf: [key])
        switch (value, key) {
        case (.undefined(let what), _): throw .refused("\(what) is undefined, and has no members")
        case (.dictionary(let members), .string(let name)):
            if let member = members.values[ExactString(name)] { return member }
            return try attribute(name, of: value)
        case (_, .string(let name)): return try attribute(name, of: value)
        case (.list(let elements), _), (.tuple(let elements), _):
            guard let index = key.asInteger else { break }
            let place = index < 0 ? index + elements.values.count : index
            if elements.values.indices.contains(place) { return elements.values[place] }
        case (.string(let text), _):
            guard let index = key.asInteger else { break }
            try budget.charge(text: text)
            let scalars = Array(text.unicodeScalars)
            let place = index < 0 ? index + scalars.count : index
            if scalars.indices.contains(place) { return .string(String(scalars[place])) }
        default: break
        }
        return .undefined("an element of \(value.kind)")
    }

    mutating func slice(
        _ value: TemplateValue, _ start: TemplateValue, _ end: TemplateValue, _ step: TemplateValue
    ) throws(TemplateFault) -> TemplateValue {
        switch value {
        case .undefined(let what): throw .refused("\(what) is undefined, and has no members")
        case .string(let text):
            try budget.charge(text: text)
            let scalars = Array(text.unicodeScalars)
            var result = String.UnicodeScalarView()
            for index in try Self.indices(scalars.count, start, end, step) { result.append(scalars[index]) }
            return .string(String(result))
        case .list(let elements):
            try budget.charge(elements.values.count)
            return try .list(Self.indices(elements.values.count, start, end, step).map { elements.values[$0] })
        case .tuple(let elements):
            try budget.charge(elements.values.count)
            return try .tuple(Self.indices(elements.values.count, start, end, step).map { elements.values[$0] })
        default: throw .refused("\(value.kind) has no slices")
        }
    }

    /// The indices of a Python slice.
    private static func indices(
        _ count: Int, _ start: TemplateValue, _ end: TemplateValue, _ step: TemplateValue
    ) throws(TemplateFault) -> [Int] {
        func number(_ value: TemplateValue) throws(TemplateFault) -> Int? {
            if case .none = value { return nil }
            guard let number = value.asInteger else { throw .refused("\(value.kind) is no bound of a slice") }
            return number
        }
        let step = try number(step) ?? 1
        guard step != 0 else { throw .refused("a slice's step is 0") }
        // Within these bounds nothing overflows.
        let stride = min(max(step, -count - 1), count + 1)
        let (lowest, highest) = stride > 0 ? (0, count) : (-1, count - 1)
        func bound(_ value: Int?, otherwise: Int) -> Int {
            guard let value else { return otherwise }
            let place = value < 0 ? max(value, -count - 1) + count : value
            return min(max(place, lowest), highest)
        }
        let first = bound(try number(start), otherwise: stride > 0 ? lowest : highest)
        let last = bound(try number(end), otherwise: stride > 0 ? highest : lowest)
        return Array(Swift.stride(from: first, to: last, by: stride))
    }

    /// What a loop goes through.
    mutating func elements(of value: TemplateValue) throws(TemplateFault) -> [TemplateValue] {
        switch value {
        case .undefined: return []
        case .list(let elements), .tuple(let elements), .generator(let elements):
            try budget.charge(elements: elements.values.count)
            return elements.values
        case .dictionary(let members):
            try budget.charge(members.values.count)
            return members.values.keys.map { .string($0.text) }
        case .string(let text):
            let scalars = text.unicodeScalars
            try budget.charge(scalars.count)
            return scalars.map { .string(String($0)) }
        default: throw .refused("\(value.kind) cannot be looped over")
        }
    }
}

extension TemplateValue.Loop {
    fileprivate func attribute(_ name: String) throws(TemplateFault) -> TemplateValue {
        let count = elements.count
        switch name {
        case "index": return .integer(index + 1)
        case "index0": return .integer(index)
        case "revindex": return .integer(count - index)
        case "revindex0": return .integer(count - index - 1)
        case "first": return .boolean(index == 0)
        case "last": return .boolean(index == count - 1)
        case "length": return .integer(count)
        // Only recursive loops are deeper.
        case "depth": return .integer(1)
        case "depth0": return .integer(0)
        case "previtem": return index == 0 ? .undefined("there is no previous item") : elements[index - 1]
        case "nextitem": return index == count - 1 ? .undefined("there is no next item") : elements[index + 1]
        default: throw .unsupported("loop.\(name)")
        }
    }
}
