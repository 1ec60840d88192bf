import Files

/// The methods of Python's strings, dictionaries and lists. Names of all of them hide members of dictionaries; those
/// that a template may call are in `TemplateRenderer.call`.
enum TemplateMethod {
    private static let string: Set = [
        "capitalize", "casefold", "center", "count", "encode", "endswith", "expandtabs", "find", "format", "format_map",
        "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric",
        "isprintable", "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip", "maketrans", "partition",
        "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip",
        "split", "splitlines", "startswith", "strip", "swapcase", "title", "translate", "upper", "zfill",
    ]
    private static let dictionary: Set = [
        "clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values",
    ]
    private static let list: Set = [
        "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort",
    ]

    static func names(of value: TemplateValue) -> Set<String> {
        switch value {
        case .string: string
        case .dictionary: dictionary
        case .list: list
        case .tuple: ["count", "index"]
        default: []
        }
    }
}

extension TemplateRenderer {
    mutating func call(
        _ name: String, of value: TemplateValue, _ call: TemplateCall
    ) throws(TemplateFault) -> TemplateValue {
        switch value {
        case .string(let text): return try self.call(name, of: text, call)
        case .dictionary(let members): return try self.call(name, of: members, call)
        default: throw .unsupported("the method \(name) of \(value.kind)")
        }
    }

    private mutating func call(
        _ name: String, of members: TemplateValue.Members, _ call: TemplateCall
    ) throws(TemplateFault) -> TemplateValue {
        try budget.charge(members.values.count)
        try budget.charge(textsOf: call.values)
        switch name {
        case "get":
            let arguments = try call.bound(to: ["key", "default"], of: name)
            guard case .string(let key)? = arguments[0] else { throw .unsupported("get of a key that is no string") }
            return members.values[ExactString(key)] ?? arguments[1] ?? .none
        case "keys":
            _ = try call.bound(to: [], of: name)
            return try .list(members.values.keys.map { .string($0.text) })
        case "values":
            _ = try call.bound(to: [], of: name)
            return try .list(Array(members.values.values))
        case "items":
            _ = try call.bound(to: [], of: name)
            return try .list(
                members.values.map {
                    .tuple(TemplateValue.Elements(values: [.string($0.key.text), $0.value], depth: members.depth))
                })
        case "copy": return .dictionary(members)
        default: throw .unsupported("the method \(name) of a dictionary")
        }
    }

    private mutating func call(
        _ name: String, of text: String, _ call: TemplateCall
    ) throws(TemplateFault) -> TemplateValue {
        guard call.named.isEmpty || name == "split" || name == "rsplit" else {
            throw .refused("the method \(name) takes no named arguments")
        }
        try budget.charge(textsOf: [.string(text)] + call.values)
        let string = PythonString(text)
        switch name {
        case "strip", "lstrip", "rstrip":
            let argument = try call.bound(to: ["chars"], of: name)[0]
            let characters = try argument.flatMap { value throws(TemplateFault) in try value.optionalString() }
            return .string(string.stripped(characters, left: name != "rstrip", right: name != "lstrip").text)
        case "startswith", "endswith": return .boolean(try edge(text, name, call))
        case "split", "rsplit": return try split(string, name, call)
        case "splitlines":
            _ = try call.bound(to: [], of: name)
            return try list(string.lines(&budget))
        case "upper": return .string(try PythonCase.upper(text, &budget))
        case "lower": return .string(try PythonCase.lower(text, &budget))
        case "capitalize": return .string(try PythonCase.capitalized(text, &budget))
        case "replace":
            let arguments = try call.bound(to: ["old", "new", "count"], of: name)
            let old = try (arguments[0] ?? .none).string("the old text")
            return try replaced(
                text, old, try (arguments[1] ?? .none).string("the new text"), most: arguments[2]?.asInteger)
        case "find":
            let part = try (call.bound(to: ["sub"], of: name)[0] ?? .none).string("what to find")
            guard let index = string.firstIndex(of: PythonString(part)) else { return .integer(-1) }
            return .integer(string.bytes[..<index].count { $0 & 0xc0 != 0x80 })
        case "count":
            let part = try (call.bound(to: ["sub"], of: name)[0] ?? .none).string("what to count")
            guard !part.isEmpty else { return .integer(text.unicodeScalars.count + 1) }
            return .integer(string.count(of: PythonString(part)))
        case "join":
            guard let values = try call.bound(to: ["values"], of: name)[0] else { throw .refused("join takes a list") }
            for value in try elements(of: values) { _ = try value.string("what is joined") }
            return try filter(values, "join", TemplateCall(positional: [.string(text)]))
        default: throw .unsupported("the method \(name) of a string")
        }
    }

    private mutating func edge(_ text: String, _ name: String, _ call: TemplateCall) throws(TemplateFault) -> Bool {
        let argument = try call.bound(to: ["edge"], of: name)[0] ?? .none
        var edges = [argument]
        if case .tuple(let elements) = argument { edges = elements.values }
        for edge in edges {
            let part = try edge.string("the argument of \(name)").utf8
            try budget.charge(textLength: part.count)
            if name == "startswith" ? text.utf8.starts(with: part) : text.utf8.reversed().starts(with: part.reversed())
            {
                return true
            }
        }
        return false
    }

    private mutating func split(
        _ string: PythonString, _ name: String, _ call: TemplateCall
    ) throws(TemplateFault) -> TemplateValue {
        let arguments = try call.bound(to: ["sep", "maxsplit"], of: name)
        let separator = try arguments[0].flatMap { value throws(TemplateFault) in try value.optionalString() }
        let most = arguments[1]?.asInteger ?? -1
        guard let separator else {
            guard most < 0 else { throw .unsupported("\(name) by spaces a number of times") }
            return try list(string.splitBySpaces(&budget))
        }
        guard !separator.isEmpty else { throw .refused("an empty separator") }
        return try list(
            string.split(
                by: PythonString(separator), most: most < 0 ? .max : most, fromEnd: name == "rsplit", &budget))
    }

    private func list(_ strings: [PythonString]) throws(TemplateFault) -> TemplateValue {
        try .list(strings.map { .string($0.text) })
    }
}
