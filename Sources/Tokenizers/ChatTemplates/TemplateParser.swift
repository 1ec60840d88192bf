/// Recursive descent over a template's tokens: the statements.
struct TemplateParser {
    /// Expressions and statements nested deeper are refused: they would overflow the stack.
    static let deepestNesting = 60
    /// So are expressions that are long chains, such as sums, of more links.
    static let longestChain = 150

    var tokens: ArraySlice<TemplateToken>
    var nesting = 0
    private var loops = 0
    private var isInMacro = false

    static func parse(_ source: String) throws(ChatTemplateError) -> [TemplateStatement] {
        var parser = TemplateParser(tokens: try TemplateLexer.tokens(source)[...])
        let body = try parser.parseBody(until: [])
        guard parser.current.kind == .end else { throw parser.unexpected() }
        return body
    }

    private init(tokens: ArraySlice<TemplateToken>) {
        self.tokens = tokens
    }

    // MARK: Tokens

    /// The last token is the end, which is never taken.
    var current: TemplateToken { tokens[tokens.startIndex] }

    func peek(_ offset: Int) -> TemplateToken.Kind {
        tokens.dropFirst(offset).first?.kind ?? .end
    }

    @discardableResult
    mutating func advance() -> TemplateToken {
        let token = current
        if token.kind != .end { tokens.removeFirst() }
        return token
    }

    mutating func take(_ kind: TemplateToken.Kind) -> Bool {
        guard current.kind == kind else { return false }
        advance()
        return true
    }

    mutating func expect(_ kind: TemplateToken.Kind) throws(ChatTemplateError) {
        guard take(kind) else {
            let wanted = TemplateToken(kind: kind, position: current.position).text
            throw current.position.error(.syntax, "expected \(wanted), found \(current.text)")
        }
    }

    mutating func expectName() throws(ChatTemplateError) -> String {
        guard case .name(let name) = current.kind else {
            throw current.position.error(.syntax, "expected a name, found \(current.text)")
        }
        advance()
        return name
    }

    func unexpected() -> ChatTemplateError {
        current.position.error(.syntax, "unexpected \(current.text)")
    }

    mutating func nested<Result>(
        _ body: (inout TemplateParser) throws(ChatTemplateError) -> Result
    ) throws(ChatTemplateError) -> Result {
        guard nesting < Self.deepestNesting else {
            throw current.position.error(.excessive, "nested deeper than \(Self.deepestNesting)")
        }
        nesting += 1
        defer { nesting -= 1 }
        return try body(&self)
    }

    // MARK: Statements

    /// Parses up to a statement of one of these names, which is left, its `{%` taken.
    private mutating func parseBody(until names: [String]) throws(ChatTemplateError) -> [TemplateStatement] {
        var body: [TemplateStatement] = []
        while true {
            let token = current
            switch token.kind {
            case .text(let text):
                advance()
                body.append(TemplateStatement(kind: .text(text), position: token.position))
            case .outputBegin:
                advance()
                let value = try parseTuple()
                try expect(.outputEnd)
                body.append(TemplateStatement(kind: .output(value), position: token.position))
            case .statementBegin:
                advance()
                let name = try expectNameAhead()
                if names.contains(name) { return body }
                body.append(try nested { parser throws(ChatTemplateError) in try parser.parseStatement() })
            default:
                guard names.isEmpty else {
                    throw token.position.error(
                        .syntax, "expected \(names.joined(separator: " or ")), found \(token.text)")
                }
                return body
            }
        }
    }

    private func expectNameAhead() throws(ChatTemplateError) -> String {
        guard case .name(let name) = current.kind else { throw unexpected() }
        return name
    }

    private mutating func parseStatement() throws(ChatTemplateError) -> TemplateStatement {
        let position = current.position
        let name = try expectName()
        let kind: TemplateStatement.Kind
        switch name {
        case "if": kind = try parseConditional()
        case "for": kind = try parseLoop()
        case "set": kind = try parseAssignment()
        case "macro": kind = .macro(try parseMacro(position))
        case "generation":
            try expect(.statementEnd)
            kind = .generation(try parseBlock("endgeneration"))
        case "break", "continue":
            guard loops > 0 else { throw position.error(.syntax, "\(name) outside of a loop") }
            kind = name == "break" ? .breaking : .continuing
        case "raw", "include", "import", "from", "extends", "block", "call", "filter", "with", "do", "autoescape":
            throw position.unsupported("the statement \(name)")
        default: throw position.error(.syntax, "unknown statement \(name)")
        }
        try expect(.statementEnd)
        return TemplateStatement(kind: kind, position: position)
    }

    /// The body up to the statement that ends it, whose name is taken.
    private mutating func parseBlock(_ end: String) throws(ChatTemplateError) -> [TemplateStatement] {
        let body = try parseBody(until: [end])
        advance()
        return body
    }

    private mutating func parseConditional() throws(ChatTemplateError) -> TemplateStatement.Kind {
        var branches: [(condition: TemplateExpression, body: [TemplateStatement])] = []
        while true {
            let condition = try parseTuple(hasConditional: false)
            try expect(.statementEnd)
            branches.append((condition, try parseBody(until: ["elif", "else", "endif"])))
            switch try expectName() {
            case "elif": continue
            case "else":
                try expect(.statementEnd)
                return .conditional(branches, otherwise: try parseBlock("endif"))
            default: return .conditional(branches, otherwise: [])
            }
        }
    }

    private mutating func parseLoop() throws(ChatTemplateError) -> TemplateStatement.Kind {
        let targets = try parseTargets(allowsAttributes: false)
        try expect(.name("in"))
        let sequence = try parseTuple(hasConditional: false)
        let condition = take(.name("if")) ? try parseExpression() : nil
        guard current.kind != .name("recursive") else { throw current.position.unsupported("a recursive loop") }
        try expect(.statementEnd)
        loops += 1
        let body = try parseBody(until: ["else", "endfor"])
        loops -= 1
        var otherwise: [TemplateStatement] = []
        if try expectName() == "else" {
            try expect(.statementEnd)
            otherwise = try parseBlock("endfor")
        }
        return .loop(
            TemplateStatement.Loop(
                targets: targets, sequence: sequence, condition: condition, body: body, otherwise: otherwise))
    }

    private mutating func parseAssignment() throws(ChatTemplateError) -> TemplateStatement.Kind {
        let targets = try parseTargets(allowsAttributes: true)
        if take(.symbol("=")) { return .assignment(targets, try parseTuple()) }
        guard current.kind != .symbol("|") else { throw current.position.unsupported("a filter of a set block") }
        guard targets.count == 1 else { throw unexpected() }
        try expect(.statementEnd)
        return .blockAssignment(targets[0], try parseBlock("endset"))
    }

    private mutating func parseTargets(
        allowsAttributes: Bool
    ) throws(ChatTemplateError) -> [TemplateStatement.Target] {
        guard current.kind != .symbol("(") else { throw current.position.unsupported("a target in parentheses") }
        var targets: [TemplateStatement.Target] = []
        repeat {
            let position = current.position
            let name = try expectName()
            guard !Self.reserved.contains(name) else {
                throw position.error(.syntax, "\(name) cannot be assigned to")
            }
            let attribute = allowsAttributes && take(.symbol(".")) ? try expectName() : nil
            if attribute == nil, name == "loop" || name.hasPrefix("_") {
                throw position.unsupported("assigning to \(name)")
            }
            targets.append(TemplateStatement.Target(name: name, attribute: attribute, position: position))
        } while take(.symbol(","))
        return targets
    }

    private mutating func parseMacro(_ position: TemplatePosition) throws(ChatTemplateError) -> TemplateMacro {
        guard nesting == 1, !isInMacro else { throw position.unsupported("a macro within another statement") }
        isInMacro = true
        defer { isInMacro = false }
        let name = try expectName()
        try expect(.symbol("("))
        var parameters: [(name: String, value: TemplateExpression?)] = []
        while current.kind != .symbol(")") {
            if !parameters.isEmpty { try expect(.symbol(",")) }
            let parameter = try expectName()
            let value = take(.symbol("=")) ? try parseExpression() : nil
            guard value != nil || parameters.last?.value == nil else {
                throw current.position.error(.syntax, "a parameter without a default after one with")
            }
            parameters.append((parameter, value))
        }
        try expect(.symbol(")"))
        try expect(.statementEnd)
        return TemplateMacro(name: name, parameters: parameters, body: try parseBlock("endmacro"))
    }
}
