/// An expression of a template.
struct TemplateExpression: Sendable {
    indirect enum Kind: Sendable {
        case none
        case boolean(Bool)
        case integer(Int)
        case real(Double)
        case string(String)
        case name(String)
        case list([TemplateExpression])
        case tuple([TemplateExpression])
        case dictionary([(key: TemplateExpression, value: TemplateExpression)])
        case attribute(TemplateExpression, String)
        case item(TemplateExpression, TemplateExpression)
        case slice(TemplateExpression, start: TemplateExpression?, end: TemplateExpression?, step: TemplateExpression?)
        case call(TemplateExpression, TemplateArguments)
        case filter(TemplateExpression, String, TemplateArguments)
        case test(TemplateExpression, String, TemplateArguments)
        case not(TemplateExpression)
        case sign(TemplateExpression, isNegative: Bool)
        case arithmetic(TemplateExpression, String, TemplateExpression)
        case both(TemplateExpression, TemplateExpression)
        case either(TemplateExpression, TemplateExpression)
        case comparison(TemplateExpression, [(comparator: String, value: TemplateExpression)])
        case concatenation([TemplateExpression])
        case conditional(TemplateExpression, ifTrue: TemplateExpression, ifFalse: TemplateExpression?)
    }

    let kind: Kind
    let position: TemplatePosition
    /// How many expressions lie in one another here.
    let depth: Int
}

/// The arguments of a call, a filter or a test.
struct TemplateArguments: Sendable {
    var positional: [TemplateExpression] = []
    var named: [(name: String, value: TemplateExpression)] = []
    var depth: Int { (positional + named.map(\.value)).map(\.depth).max() ?? 0 }
}

/// A statement, or text to be written.
struct TemplateStatement: Sendable {
    indirect enum Kind: Sendable {
        case text(String)
        case output(TemplateExpression)
        case conditional([(condition: TemplateExpression, body: [TemplateStatement])], otherwise: [TemplateStatement])
        case loop(Loop)
        case assignment([Target], TemplateExpression)
        case blockAssignment(Target, [TemplateStatement])
        case macro(TemplateMacro)
        /// `{% generation %}`: what the model writes; text like any other here.
        case generation([TemplateStatement])
        case breaking
        case continuing
    }

    /// What is assigned to: a variable, or an attribute of a namespace.
    struct Target: Sendable {
        let name: String
        let attribute: String?
        let position: TemplatePosition
    }

    struct Loop: Sendable {
        let targets: [Target]
        let sequence: TemplateExpression
        let condition: TemplateExpression?
        let body: [TemplateStatement]
        let otherwise: [TemplateStatement]
    }

    let kind: Kind
    let position: TemplatePosition
}

/// A function written in the template.
struct TemplateMacro: Sendable {
    let name: String
    let parameters: [(name: String, value: TemplateExpression?)]
    let body: [TemplateStatement]
}
