extension TemplateRenderer {
    /// `map`, `select`, `reject`, `selectattr` and `rejectattr`.
    mutating func select(
        _ value: TemplateValue, _ filter: TemplateFilter, _ call: TemplateCall
    ) throws(TemplateFault) -> TemplateValue {
        var arguments = call
        let all = try elements(of: value)
        try budget.charge(all.count)
        if filter == .map { return try mapped(all, call) }
        var attribute: TemplateValue?
        if filter == .selectattr || filter == .rejectattr {
            guard !arguments.positional.isEmpty else { throw .refused("\(filter) takes an attribute") }
            attribute = arguments.positional.removeFirst()
        }
        var test: String?
        if !arguments.positional.isEmpty {
            guard case .string(let name) = arguments.positional.removeFirst() else {
                throw .refused("\(filter) takes the name of a test")
            }
            guard TemplateTest(name) != nil else { throw .unsupported("the test \(name)") }
            test = name
        }
        let keeps = filter == .select || filter == .selectattr
        var kept: [TemplateValue] = []
        for element in all {
            let part = try attribute.map { name throws(TemplateFault) in try path(name, of: element) } ?? element
            let holds =
                try test.map { name throws(TemplateFault) in try self.test(part, name, arguments) } ?? part.isTrue
            if holds == keeps { kept.append(element) }
        }
        return try .generator(kept)
    }

    private mutating func mapped(
        _ elements: [TemplateValue], _ call: TemplateCall
    ) throws(TemplateFault) -> TemplateValue {
        var arguments = call
        var results: [TemplateValue] = []
        if arguments.positional.isEmpty {
            let bound = try arguments.bound(to: ["attribute", "default"], of: "the filter map")
            guard let attribute = bound[0] else { throw .refused("map takes an attribute or the name of a filter") }
            for element in elements {
                let part = try path(attribute, of: element)
                results.append(part.isUndefined ? bound[1] ?? part : part)
            }
            return try .generator(results)
        }
        guard case .string(let name) = arguments.positional.removeFirst() else {
            throw .refused("map takes the name of a filter")
        }
        // It may name map again, which takes the next name.
        try budget.enter()
        defer { budget.leave() }
        for element in elements { results.append(try filter(element, name, arguments)) }
        return try .generator(results)
    }

    /// The member of a member, where the name has dots.
    mutating func path(_ name: TemplateValue, of value: TemplateValue) throws(TemplateFault) -> TemplateValue {
        guard case .string(let text) = name else { return try item(name, of: value) }
        try budget.charge(text: text)
        try budget.charge(text.utf8.count { $0 == UInt8(ascii: ".") })
        var value = value
        for part in text.unicodeScalars.split(separator: ".", omittingEmptySubsequences: false) {
            let index = part.allSatisfy { "0"..."9" ~= $0 } ? Int(String(part)) : nil
            value = try item(index.map { .integer($0) } ?? .string(String(part)), of: value)
        }
        return value
    }
}
