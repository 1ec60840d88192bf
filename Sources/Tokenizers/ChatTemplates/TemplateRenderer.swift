import Files

/// One rendering of a template.
struct TemplateRenderer {
    /// What a statement leads to.
    private enum Flow {
        case onward, breaking, continuing
    }

    private let globals: TemplateScope
    var scope: TemplateScope
    var budget = TemplateBudget()
    private var output = ""

    private init(_ variables: [String: TemplateValue]) {
        var variables = variables
        for name in TemplateFunction.allCases {
            variables[name.rawValue] = variables[name.rawValue] ?? .function(name.rawValue)
        }
        globals = TemplateScope(variables)
        scope = globals
    }

    static func render(
        _ body: [TemplateStatement], _ variables: [String: TemplateValue]
    ) throws(ChatTemplateError) -> String {
        var renderer = TemplateRenderer(variables)
        _ = try renderer.execute(body)
        return renderer.output
    }

    /// Does what may fail, at a place.
    mutating func at<Result>(
        _ position: TemplatePosition, _ body: (inout TemplateRenderer) throws(TemplateFault) -> Result
    ) throws(ChatTemplateError) -> Result {
        do throws(TemplateFault) {
            return try body(&self)
        } catch {
            throw error.at(position)
        }
    }

    // MARK: Statements

    private mutating func execute(_ body: [TemplateStatement]) throws(ChatTemplateError) -> Flow {
        guard let first = body.first else { return .onward }
        try at(first.position) { renderer throws(TemplateFault) in try renderer.budget.enter() }
        defer { budget.leave() }
        for statement in body {
            let flow = try execute(statement)
            if flow != .onward { return flow }
        }
        return .onward
    }

    private mutating func execute(_ statement: TemplateStatement) throws(ChatTemplateError) -> Flow {
        let position = statement.position
        try at(position) { renderer throws(TemplateFault) in try renderer.budget.charge() }
        switch statement.kind {
        case .text(let text): try write(text, position)
        case .output(let expression):
            let value = try evaluate(expression)
            let text = try at(position) { renderer throws(TemplateFault) in try renderer.text(of: value) }
            try write(text, position)
        case .conditional(let branches, let otherwise):
            for branch in branches where try evaluate(branch.condition).isTrue { return try execute(branch.body) }
            return try execute(otherwise)
        case .loop(let loop): try execute(loop, position)
        case .assignment(let targets, let expression): try assign(evaluate(expression), to: targets, position)
        case .blockAssignment(let target, let body):
            let text = try captured { renderer throws(ChatTemplateError) in
                renderer.scope = TemplateScope(parent: renderer.scope)
                _ = try renderer.execute(body)
            }
            try assign(.string(text), to: [target], position)
        case .macro(let macro): scope[macro.name] = .macro(macro)
        case .generation(let body):
            let outer = scope
            defer { scope = outer }
            scope = TemplateScope(parent: outer)
            return try execute(body)
        case .breaking: return .breaking
        case .continuing: return .continuing
        }
        return .onward
    }

    private mutating func write(_ text: String, _ position: TemplatePosition) throws(ChatTemplateError) {
        try at(position) { renderer throws(TemplateFault) in
            try renderer.budget.append(text, to: &renderer.output)
        }
    }

    /// What the body writes; it may change the scope, which is put back.
    private mutating func captured(
        _ body: (inout TemplateRenderer) throws(ChatTemplateError) -> Void
    ) throws(ChatTemplateError) -> String {
        let (outer, written) = (scope, output)
        output = ""
        defer {
            scope = outer
            output = written
        }
        try body(&self)
        return output
    }

    private mutating func execute(
        _ loop: TemplateStatement.Loop, _ position: TemplatePosition
    ) throws(ChatTemplateError) {
        let sequence = try evaluate(loop.sequence)
        let outer = scope
        defer { scope = outer }
        var elements = try at(position) { renderer throws(TemplateFault) in try renderer.elements(of: sequence) }
        if let condition = loop.condition {
            var kept: [TemplateValue] = []
            for element in elements {
                scope = TemplateScope(parent: outer)
                try assign(element, to: loop.targets, position)
                if try evaluate(condition).isTrue { kept.append(element) }
            }
            elements = kept
        }
        scope = outer
        if elements.isEmpty {
            _ = try execute(loop.otherwise)
            return
        }
        for (index, element) in elements.enumerated() {
            try at(position) { renderer throws(TemplateFault) in try renderer.budget.charge() }
            scope = TemplateScope(parent: outer)
            scope["loop"] = .loop(TemplateValue.Loop(elements: elements, index: index))
            try assign(element, to: loop.targets, position)
            if try execute(loop.body) == .breaking { return }
        }
    }

    private mutating func assign(
        _ value: TemplateValue, to targets: [TemplateStatement.Target], _ position: TemplatePosition
    ) throws(ChatTemplateError) {
        guard targets.count > 1 else { return try assign(value, to: targets[0]) }
        let values = try at(position) { renderer throws(TemplateFault) in
            try renderer.budget.charge(targets.count)
            return try renderer.elements(of: value)
        }
        guard values.count == targets.count else {
            throw position.error(.refused, "\(values.count) values for \(targets.count) names")
        }
        for (target, value) in zip(targets, values) { try assign(value, to: target) }
    }

    private mutating func assign(
        _ value: TemplateValue, to target: TemplateStatement.Target
    ) throws(ChatTemplateError) {
        guard let attribute = target.attribute else {
            // It would be empty once it has been gone through.
            if case .generator = value { throw target.position.unsupported(value.kind) }
            scope[target.name] = value
            return
        }
        guard case .namespace(let namespace)? = scope[target.name] else {
            throw target.position.error(.refused, "\(target.name) is no namespace")
        }
        guard value.isData else { throw target.position.unsupported("\(value.kind) within a namespace") }
        guard !attribute.hasPrefix("_") else {
            throw target.position.error(.refused, "a namespace's attribute must not start with an underscore")
        }
        namespace.values[ExactString(attribute)] = value
    }

    // MARK: Macros

    mutating func call(
        _ macro: TemplateMacro, _ arguments: TemplateCall, _ position: TemplatePosition
    ) throws(ChatTemplateError) -> TemplateValue {
        guard arguments.positional.count <= macro.parameters.count else {
            throw position.error(.refused, "the macro \(macro.name) takes \(macro.parameters.count) arguments")
        }
        var named = arguments.named
        // Every parameter is looked for among all names.
        try at(position) { renderer throws(TemplateFault) in
            try renderer.budget.charge(macro.parameters.count + macro.parameters.count * named.count / 64)
        }
        let text = try captured { renderer throws(ChatTemplateError) in
            renderer.scope = TemplateScope(parent: renderer.globals)
            for (index, parameter) in macro.parameters.enumerated() {
                if arguments.positional.indices.contains(index) {
                    renderer.scope[parameter.name] = arguments.positional[index]
                } else if let given = named.firstIndex(where: { $0.name == parameter.name }) {
                    renderer.scope[parameter.name] = named.remove(at: given).value
                } else if let standard = parameter.value {
                    renderer.scope[parameter.name] = try renderer.evaluate(standard)
                } else {
                    renderer.scope[parameter.name] = .undefined("parameter '\(parameter.name)' was not provided")
                }
            }
            if let extra = named.first {
                throw position.error(.refused, "the macro \(macro.name) takes no argument \(extra.name)")
            }
            _ = try renderer.execute(macro.body)
        }
        return .string(text)
    }
}

/// The values that a function, method, filter or test is called with.
struct TemplateCall {
    var positional: [TemplateValue] = []
    var named: [(name: String, value: TemplateValue)] = []

    var values: [TemplateValue] { positional + named.map(\.value) }

    /// Arguments by the names of parameters; nil for those that were not given.
    func bound(to parameters: [String], of name: String) throws(TemplateFault) -> [TemplateValue?] {
        guard positional.count <= parameters.count else {
            throw .refused("\(name) takes at most \(parameters.count) arguments")
        }
        var values: [TemplateValue?] = positional.map { $0 } + parameters.dropFirst(positional.count).map { _ in nil }
        for (parameter, value) in named {
            guard let index = parameters.firstIndex(of: parameter) else {
                throw .refused("\(name) takes no argument \(parameter)")
            }
            guard values[index] == nil else { throw .refused("\(name): the argument \(parameter) is given twice") }
            values[index] = value
        }
        return values
    }
}
