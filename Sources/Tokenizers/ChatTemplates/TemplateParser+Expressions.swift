extension TemplateParser {
    /// Words that are no names.
    static let reserved: Set = [
        "and", "else", "elif", "false", "False", "if", "in", "is", "none", "None", "not", "or", "true", "True",
    ]

    /// Names that mean something in Jinja and nothing here.
    private static let unsupported: Set = [
        "caller", "cycler", "joiner", "kwargs", "lipsum", "self", "super", "varargs",
    ]

    private func make(
        _ kind: TemplateExpression.Kind, _ position: TemplatePosition, over depth: Int = 0
    ) throws(ChatTemplateError) -> TemplateExpression {
        guard depth < Self.longestChain else {
            throw position.error(.excessive, "an expression of more than \(Self.longestChain) links")
        }
        return TemplateExpression(kind: kind, position: position, depth: depth + 1)
    }

    private func make(
        _ kind: TemplateExpression.Kind, _ position: TemplatePosition, over parts: [TemplateExpression]
    ) throws(ChatTemplateError) -> TemplateExpression {
        try make(kind, position, over: parts.map(\.depth).max() ?? 0)
    }

    /// An expression, or several with commas between.
    mutating func parseTuple(hasConditional: Bool = true) throws(ChatTemplateError) -> TemplateExpression {
        let position = current.position
        let first = try parseExpression(hasConditional: hasConditional)
        guard current.kind == .symbol(",") else { return first }
        var elements = [first]
        while take(.symbol(",")) {
            switch current.kind {
            case .statementEnd, .outputEnd, .symbol(")"): return try make(.tuple(elements), position, over: elements)
            default: elements.append(try parseExpression(hasConditional: hasConditional))
            }
        }
        return try make(.tuple(elements), position, over: elements)
    }

    mutating func parseExpression(hasConditional: Bool = true) throws(ChatTemplateError) -> TemplateExpression {
        try nested { parser throws(ChatTemplateError) in
            hasConditional ? try parser.parseConditional() : try parser.parseEither()
        }
    }

    private mutating func parseConditional() throws(ChatTemplateError) -> TemplateExpression {
        var result = try parseEither()
        while current.kind == .name("if") {
            let position = advance().position
            let condition = try parseEither()
            let other = take(.name("else")) ? try parseExpression() : nil
            result = try make(
                .conditional(condition, ifTrue: result, ifFalse: other), position,
                over: [condition, result] + (other.map { [$0] } ?? []))
        }
        return result
    }

    private mutating func parseEither() throws(ChatTemplateError) -> TemplateExpression {
        var left = try parseBoth()
        while current.kind == .name("or") {
            let position = advance().position
            let right = try parseBoth()
            left = try make(.either(left, right), position, over: [left, right])
        }
        return left
    }

    private mutating func parseBoth() throws(ChatTemplateError) -> TemplateExpression {
        var left = try parseNot()
        while current.kind == .name("and") {
            let position = advance().position
            let right = try parseNot()
            left = try make(.both(left, right), position, over: [left, right])
        }
        return left
    }

    private mutating func parseNot() throws(ChatTemplateError) -> TemplateExpression {
        guard current.kind == .name("not") else { return try parseComparison() }
        let position = advance().position
        let value = try nested { parser throws(ChatTemplateError) in try parser.parseNot() }
        return try make(.not(value), position, over: [value])
    }

    private mutating func parseComparison() throws(ChatTemplateError) -> TemplateExpression {
        let position = current.position
        let first = try parseSum()
        var others: [(comparator: String, value: TemplateExpression)] = []
        while true {
            switch current.kind {
            case .symbol(let symbol) where ["==", "!=", "<", "<=", ">", ">="].contains(symbol):
                advance()
                others.append((symbol, try parseSum()))
            case .name("in"):
                advance()
                others.append(("in", try parseSum()))
            case .name("not") where peek(1) == .name("in"):
                advance()
                advance()
                others.append(("not in", try parseSum()))
            default:
                if others.isEmpty { return first }
                return try make(.comparison(first, others), position, over: [first] + others.map(\.value))
            }
        }
    }

    private mutating func parseSum() throws(ChatTemplateError) -> TemplateExpression {
        var left = try parseConcatenation()
        while case .symbol(let symbol) = current.kind, symbol == "+" || symbol == "-" {
            let position = advance().position
            let right = try parseConcatenation()
            left = try make(.arithmetic(left, symbol, right), position, over: [left, right])
        }
        return left
    }

    private mutating func parseConcatenation() throws(ChatTemplateError) -> TemplateExpression {
        let position = current.position
        var parts = [try parseProduct()]
        while take(.symbol("~")) { parts.append(try parseProduct()) }
        return parts.count == 1 ? parts[0] : try make(.concatenation(parts), position, over: parts)
    }

    private mutating func parseProduct() throws(ChatTemplateError) -> TemplateExpression {
        var left = try parseUnary()
        while case .symbol(let symbol) = current.kind, ["*", "/", "//", "%"].contains(symbol) {
            let position = advance().position
            let right = try parseUnary()
            left = try make(.arithmetic(left, symbol, right), position, over: [left, right])
        }
        guard current.kind != .symbol("**") else { throw current.position.unsupported("the operator **") }
        return left
    }

    private mutating func parseUnary(hasFilters: Bool = true) throws(ChatTemplateError) -> TemplateExpression {
        var result: TemplateExpression
        if current.kind == .symbol("-") || current.kind == .symbol("+") {
            let token = advance()
            let value = try nested { parser throws(ChatTemplateError) in try parser.parseUnary(hasFilters: false) }
            result = try make(
                .sign(value, isNegative: token.kind == .symbol("-")), token.position, over: [value])
        } else {
            result = try parsePrimary()
        }
        result = try parsePostfix(result)
        return hasFilters ? try parseFilters(result) : result
    }

    private mutating func parsePrimary() throws(ChatTemplateError) -> TemplateExpression {
        let token = advance()
        switch token.kind {
        case .name("true"), .name("True"): return try make(.boolean(true), token.position)
        case .name("false"), .name("False"): return try make(.boolean(false), token.position)
        case .name("none"), .name("None"): return try make(.none, token.position)
        case .name(let name):
            guard !Self.reserved.contains(name) else { throw token.position.error(.syntax, "unexpected \(name)") }
            guard !Self.unsupported.contains(name) else { throw token.position.unsupported(name) }
            return try make(.name(name), token.position)
        case .string(var text):
            while case .string(let more) = current.kind {
                advance()
                text += more
            }
            return try make(.string(text), token.position)
        case .integer(let value): return try make(.integer(value), token.position)
        case .real(let value): return try make(.real(value), token.position)
        case .symbol("("):
            if take(.symbol(")")) { return try make(.tuple([]), token.position) }
            let value = try parseTuple()
            try expect(.symbol(")"))
            return value
        case .symbol("["): return try parseList(token.position)
        case .symbol("{"): return try parseDictionary(token.position)
        default: throw token.position.error(.syntax, "unexpected \(token.text)")
        }
    }

    private mutating func parseList(_ position: TemplatePosition) throws(ChatTemplateError) -> TemplateExpression {
        var elements: [TemplateExpression] = []
        while !take(.symbol("]")) {
            if !elements.isEmpty {
                try expect(.symbol(","))
                if take(.symbol("]")) { break }
            }
            elements.append(try parseExpression())
        }
        return try make(.list(elements), position, over: elements)
    }

    private mutating func parseDictionary(_ position: TemplatePosition) throws(ChatTemplateError) -> TemplateExpression
    {
        var members: [(key: TemplateExpression, value: TemplateExpression)] = []
        while !take(.symbol("}")) {
            if !members.isEmpty {
                try expect(.symbol(","))
                if take(.symbol("}")) { break }
            }
            let key = try parseExpression()
            try expect(.symbol(":"))
            members.append((key, try parseExpression()))
        }
        return try make(.dictionary(members), position, over: members.flatMap { [$0.key, $0.value] })
    }

    // MARK: What follows a value

    private mutating func parsePostfix(_ value: TemplateExpression) throws(ChatTemplateError) -> TemplateExpression {
        var value = value
        while true {
            switch current.kind {
            case .symbol("."): value = try parseAttribute(value)
            case .symbol("["): value = try parseSubscript(value)
            case .symbol("("): value = try parseCall(value)
            default: return value
            }
        }
    }

    private mutating func parseAttribute(_ value: TemplateExpression) throws(ChatTemplateError) -> TemplateExpression {
        let position = advance().position
        if case .integer(let index) = current.kind {
            advance()
            return try make(.item(value, make(.integer(index), position)), position, over: [value])
        }
        return try make(.attribute(value, try expectName()), position, over: [value])
    }

    private mutating func parseSubscript(_ value: TemplateExpression) throws(ChatTemplateError) -> TemplateExpression {
        let position = advance().position
        var parts: [TemplateExpression?] = []
        var part: TemplateExpression?
        while !take(.symbol("]")) {
            if take(.symbol(":")) {
                parts.append(part)
                part = nil
            } else {
                guard part == nil else { throw unexpected() }
                part = try parseExpression()
            }
        }
        let all = [value] + parts.compactMap { $0 } + (part.map { [$0] } ?? [])
        switch parts.count {
        case 0:
            guard let part else { throw unexpected() }
            return try make(.item(value, part), position, over: all)
        case 1: return try make(.slice(value, start: parts[0], end: part, step: nil), position, over: all)
        case 2: return try make(.slice(value, start: parts[0], end: parts[1], step: part), position, over: all)
        default: throw position.error(.syntax, "a slice of more than three parts")
        }
    }

    private mutating func parseCall(_ value: TemplateExpression) throws(ChatTemplateError) -> TemplateExpression {
        let position = current.position
        let arguments = try parseArguments()
        return try make(.call(value, arguments), position, over: max(value.depth, arguments.depth))
    }

    private mutating func parseArguments() throws(ChatTemplateError) -> TemplateArguments {
        try expect(.symbol("("))
        var arguments = TemplateArguments()
        var isFirst = true
        while !take(.symbol(")")) {
            if !isFirst {
                try expect(.symbol(","))
                if take(.symbol(")")) { break }
            }
            isFirst = false
            if case .symbol(let symbol) = current.kind, symbol == "*" || symbol == "**" {
                throw current.position.unsupported("an argument with \(symbol)")
            }
            if case .name(let name) = current.kind, peek(1) == .symbol("=") {
                advance()
                advance()
                arguments.named.append((name, try parseExpression()))
            } else {
                guard arguments.named.isEmpty else {
                    throw current.position.error(.syntax, "a positional argument after a named one")
                }
                arguments.positional.append(try parseExpression())
            }
        }
        return arguments
    }

    private mutating func parseFilters(_ value: TemplateExpression) throws(ChatTemplateError) -> TemplateExpression {
        var value = value
        while true {
            switch current.kind {
            case .symbol("|"):
                advance()
                let position = current.position
                let name = try expectName()
                guard TemplateFilter(rawValue: name) != nil else { throw position.unsupported("the filter \(name)") }
                let arguments = current.kind == .symbol("(") ? try parseArguments() : TemplateArguments()
                value = try make(
                    .filter(value, name, arguments), position, over: max(value.depth, arguments.depth))
            case .name("is"): value = try parseTest(value)
            case .symbol("("): value = try parseCall(value)
            default: return value
            }
        }
    }

    private mutating func parseTest(_ value: TemplateExpression) throws(ChatTemplateError) -> TemplateExpression {
        advance()
        let isNegated = take(.name("not"))
        let position = current.position
        let name: String
        if case .symbol(let symbol) = current.kind {
            throw position.error(.syntax, "unexpected \(symbol)")
        } else {
            name = try expectName()
        }
        guard TemplateTest(name) != nil else { throw position.unsupported("the test \(name)") }
        var arguments = TemplateArguments()
        switch current.kind {
        case .symbol("("): arguments = try parseArguments()
        case .string, .integer, .real, .symbol("["), .symbol("{"):
            arguments.positional = [try parsePostfix(parsePrimary())]
        case .name("is"): throw current.position.error(.syntax, "a test of a test")
        // Jinja takes any other word for an argument, so that no conditional may follow a test either.
        case .name(let next) where !["else", "or", "and"].contains(next):
            arguments.positional = [try parsePostfix(parsePrimary())]
        default: break
        }
        let test = try make(.test(value, name, arguments), position, over: max(value.depth, arguments.depth))
        return isNegated ? try make(.not(test), position, over: [test]) : test
    }
}
