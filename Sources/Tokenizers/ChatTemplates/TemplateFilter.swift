/// The filters that there are.
enum TemplateFilter: String {
    case abs, capitalize, count, d, `default`, first, float, indent, int, items, join, last, length, list, lower, map
    case reject, rejectattr, replace, reverse, select, selectattr, string, tojson, trim, upper

    /// The parameters after the value; nil where the arguments are handed on.
    var parameters: [String]? {
        switch self {
        case .abs, .capitalize, .count, .first, .items, .last, .length, .list, .lower, .reverse, .string, .upper: []
        case .d, .default: ["default_value", "boolean"]
        case .float: ["default"]
        case .int: ["default", "base"]
        case .indent: ["width", "first", "blank"]
        case .join: ["d", "attribute"]
        case .replace: ["old", "new", "count"]
        case .tojson: ["ensure_ascii", "indent", "separators", "sort_keys"]
        case .trim: ["chars"]
        case .map, .reject, .rejectattr, .select, .selectattr: nil
        }
    }
}

extension TemplateRenderer {
    mutating func filter(
        _ value: TemplateValue, _ name: String, _ call: TemplateCall
    ) throws(TemplateFault) -> TemplateValue {
        guard let filter = TemplateFilter(rawValue: name) else { throw .unsupported("the filter \(name)") }
        try budget.charge(textsOf: [value] + call.values)
        guard let parameters = filter.parameters else { return try select(value, filter, call) }
        let arguments = try call.bound(to: parameters, of: "the filter \(name)")
        switch filter {
        case .d, .default:
            let isReplaced = value.isUndefined || (arguments[1]?.isTrue ?? false) && !value.isTrue
            return isReplaced ? arguments[0] ?? .string("") : value
        case .length, .count: return .integer(try length(of: value))
        case .first: return try elements(of: value).first ?? .undefined("the first of an empty list")
        case .last: return try elements(of: value).last ?? .undefined("the last of an empty list")
        case .list: return try .list(elements(of: value))
        case .reverse:
            if case .string(let text) = value {
                return .string(String(String.UnicodeScalarView(text.unicodeScalars.reversed())))
            }
            let all = try elements(of: value)
            try budget.charge(all.count)
            return try .generator(all.reversed())
        case .items: return try items(value)
        case .string: return .string(try text(of: value))
        case .upper: return .string(try PythonCase.upper(text(of: value), &budget))
        case .lower: return .string(try PythonCase.lower(text(of: value), &budget))
        case .capitalize: return .string(try PythonCase.capitalized(text(of: value), &budget))
        case .trim:
            let characters = try arguments[0].flatMap { argument throws(TemplateFault) in try argument.optionalString()
            }
            return .string(PythonString(try text(of: value)).stripped(characters, left: true, right: true).text)
        case .replace:
            guard let old = arguments[0], let new = arguments[1] else { throw .refused("replace takes two strings") }
            return try replaced(
                try text(of: value), try text(of: old), try text(of: new), most: arguments[2]?.asInteger)
        case .join: return try joined(value, separator: arguments[0], attribute: arguments[1])
        case .tojson: return try json(value, arguments)
        case .int: return try integer(value, arguments)
        case .float: return try real(value, otherwise: arguments[0])
        case .abs:
            if let integer = value.asInteger, integer != .min { return .integer(Swift.abs(integer)) }
            guard case .real(let real) = value else { throw .refused("\(value.kind) has no absolute value") }
            return .real(Swift.abs(real))
        case .indent: return try indented(text(of: value), arguments)
        case .map, .reject, .rejectattr, .select, .selectattr: return try select(value, filter, call)
        }
    }

    private func length(of value: TemplateValue) throws(TemplateFault) -> Int {
        switch value {
        case .undefined: return 0
        case .string(let text): return text.unicodeScalars.count
        case .list(let elements), .tuple(let elements): return elements.values.count
        case .dictionary(let members): return members.values.count
        default: throw .refused("\(value.kind) has no length")
        }
    }

    private mutating func items(_ value: TemplateValue) throws(TemplateFault) -> TemplateValue {
        if value.isUndefined { return try .generator([]) }
        guard case .dictionary(let members) = value else { throw .refused("items of \(value.kind)") }
        try budget.charge(members.values.count)
        var items: [TemplateValue] = []
        for (name, value) in members.values { items.append(try .tuple([.string(name.text), value])) }
        return try .generator(items)
    }

    mutating func replaced(
        _ text: String, _ old: String, _ new: String, most: Int?
    ) throws(TemplateFault) -> TemplateValue {
        guard !old.isEmpty else { throw .unsupported("replacing an empty string") }
        let (text, old) = (PythonString(text), PythonString(old))
        let most = most.map { $0 < 0 ? .max : $0 } ?? .max
        let found = min(most, text.count(of: old))
        let (added, overflows) = found.multipliedReportingOverflow(by: new.utf8.count)
        try budget.charge(textLength: overflows ? .max : text.bytes.count + added)
        return .string(text.replacing(old, with: PythonString(new), most: most).text)
    }

    private mutating func joined(
        _ value: TemplateValue, separator: TemplateValue?, attribute: TemplateValue?
    ) throws(TemplateFault) -> TemplateValue {
        let separator = try separator.map { value throws(TemplateFault) in try text(of: value) } ?? ""
        var result = ""
        for (index, element) in try elements(of: value).enumerated() {
            try budget.charge()
            if index > 0 { try budget.append(separator, to: &result) }
            let part = try attribute.map { name throws(TemplateFault) in try path(name, of: element) } ?? element
            try budget.append(text(of: part), to: &result)
        }
        return .string(result)
    }

    private mutating func json(
        _ value: TemplateValue, _ arguments: [TemplateValue?]
    ) throws(TemplateFault) -> TemplateValue {
        var indentation: String?
        switch arguments[1] {
        case nil, .some(.none): break
        case .string(let text)?: indentation = text
        case let width?:
            guard let width = width.asInteger else { throw .refused("tojson: indent is \(width.kind)") }
            indentation = String(repeating: " ", count: min(max(0, width), 65))
        }
        guard indentation?.utf8.count ?? 0 <= 64 else { throw .unsupported("an indentation of more than 64") }
        var writer = TemplateJSONWriter(indentation: indentation)
        writer.isASCII = arguments[0]?.isTrue ?? false
        writer.sortsKeys = arguments[3]?.isTrue ?? false
        if let separators = arguments[2], case .some = separators.pair {
            guard case (.string(let item), .string(let key))? = separators.pair else {
                throw .refused("tojson: separators are two strings")
            }
            (writer.itemSeparator, writer.keySeparator) = (item, key)
        } else if let separators = arguments[2], case .none = separators {
        } else if arguments[2] != nil {
            throw .refused("tojson: separators are two strings")
        }
        try writer.write(value, &budget)
        return .string(writer.text)
    }

    private func integer(_ value: TemplateValue, _ arguments: [TemplateValue?]) throws(TemplateFault) -> TemplateValue {
        guard arguments[1] == nil else { throw .unsupported("the argument base of the filter int") }
        if let integer = value.asInteger { return .integer(integer) }
        var real: Double?
        switch value {
        case .undefined: throw .refused("\(value.kind) is no number")
        case .real(let value):
            guard !value.isInfinite else { throw .refused("an infinite float is no integer") }
            real = value
        case .string(let text):
            if let integer = try PythonNumber.integer(text) { return .integer(integer) }
            // As Jinja, for which "42.23" is 42.
            real = PythonNumber.real(text)
        default: break
        }
        guard let real, real.isFinite else { return arguments[0] ?? .integer(0) }
        guard let integer = Int(exactly: real.rounded(.towardZero)) else { throw PythonNumber.tooLarge }
        return .integer(integer)
    }

    private func real(_ value: TemplateValue, otherwise: TemplateValue?) throws(TemplateFault) -> TemplateValue {
        if value.isUndefined { throw .refused("\(value.kind) is no number") }
        if let real = value.asReal { return .real(real) }
        if case .string(let text) = value, let real = PythonNumber.real(text) { return .real(real) }
        return otherwise ?? .real(0)
    }

    private mutating func indented(
        _ text: String, _ arguments: [TemplateValue?]
    ) throws(TemplateFault) -> TemplateValue {
        let indentation: String
        if case .string(let text)? = arguments[0] {
            indentation = text
        } else {
            let width = max(0, arguments[0]?.asInteger ?? 4)
            try budget.charge(textLength: width)
            indentation = String(repeating: " ", count: width)
        }
        let indentsFirst = arguments[1]?.isTrue ?? false
        let indentsBlank = arguments[2]?.isTrue ?? false
        // As Jinja, which splits a line's end more than there is.
        let lines = try PythonString(text + "\n").lines(&budget).map(\.text)
        try budget.charge(textLength: text.utf8.count + lines.count * indentation.utf8.count)
        var result = ""
        for (index, line) in lines.enumerated() {
            let isIndented = index == 0 ? indentsFirst : indentsBlank || !line.isEmpty
            result += (index == 0 ? "" : "\n") + (isIndented ? indentation : "") + line
        }
        return .string(result)
    }
}

extension TemplateValue {
    /// The two elements of a list or tuple of two.
    fileprivate var pair: (TemplateValue, TemplateValue)? {
        switch self {
        case .list(let elements), .tuple(let elements):
            elements.values.count == 2 ? (elements.values[0], elements.values[1]) : nil
        default: nil
        }
    }

    func string(_ what: String) throws(TemplateFault) -> String {
        guard case .string(let text) = self else { throw .refused("\(what) is \(kind), not a string") }
        return text
    }

    /// A string, or none.
    func optionalString() throws(TemplateFault) -> String? {
        if case .none = self { return nil }
        return try string("an argument")
    }
}
