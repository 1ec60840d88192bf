import Files
import OrderedCollections

extension TemplateRenderer {
    mutating func evaluate(_ expression: TemplateExpression) throws(ChatTemplateError) -> TemplateValue {
        let position = expression.position
        try at(position) { renderer throws(TemplateFault) in
            try renderer.budget.charge()
            try renderer.budget.enter()
        }
        defer { budget.leave() }
        switch expression.kind {
        case .none: return .none
        case .boolean(let value): return .boolean(value)
        case .integer(let value): return .integer(value)
        case .real(let value): return .real(value)
        case .string(let value): return .string(value)
        case .name(let name): return scope[name] ?? .undefined("'\(name)'")
        case .list(let elements):
            let values = try evaluate(elements)
            return try at(position) { _ throws(TemplateFault) in try .list(values) }
        case .tuple(let elements):
            let values = try evaluate(elements)
            return try at(position) { _ throws(TemplateFault) in try .tuple(values) }
        case .dictionary(let members): return try dictionary(members, position)
        case .attribute(let value, let name):
            let value = try evaluate(value)
            return try at(position) { renderer throws(TemplateFault) in try renderer.attribute(name, of: value) }
        case .item(let value, let key):
            let (value, key) = (try evaluate(value), try evaluate(key))
            return try at(position) { renderer throws(TemplateFault) in try renderer.item(key, of: value) }
        case .slice(let value, let start, let end, let step):
            let value = try evaluate(value)
            var bounds: [TemplateValue] = []
            for part in [start, end, step] {
                if let part { bounds.append(try evaluate(part)) } else { bounds.append(.none) }
            }
            return try at(position) { renderer throws(TemplateFault) in
                try renderer.slice(value, bounds[0], bounds[1], bounds[2])
            }
        case .call(let function, let arguments):
            return try call(evaluate(function), evaluate(arguments), position)
        case .filter(let value, let name, let arguments):
            let (value, arguments) = (try evaluate(value), try evaluate(arguments))
            return try at(position) { renderer throws(TemplateFault) in
                try renderer.filter(value, name, arguments)
            }
        case .test(let value, let name, let arguments):
            let (value, arguments) = (try evaluate(value), try evaluate(arguments))
            return try at(position) { renderer throws(TemplateFault) in
                .boolean(try renderer.test(value, name, arguments))
            }
        case .not(let value): return .boolean(try !evaluate(value).isTrue)
        case .sign(let value, let isNegative):
            let value = try evaluate(value)
            return try at(position) { _ throws(TemplateFault) in
                try TemplateArithmetic.signed(value, isNegative: isNegative)
            }
        case .arithmetic(let left, let symbol, let right):
            let (left, right) = (try evaluate(left), try evaluate(right))
            return try at(position) { renderer throws(TemplateFault) in
                try TemplateArithmetic.apply(symbol, left, right, &renderer.budget)
            }
        case .both(let left, let right):
            let left = try evaluate(left)
            return left.isTrue ? try evaluate(right) : left
        case .either(let left, let right):
            let left = try evaluate(left)
            return left.isTrue ? left : try evaluate(right)
        case .comparison(let first, let others): return .boolean(try compare(first, others, position))
        case .concatenation(let parts):
            let values = try evaluate(parts)
            return try at(position) { renderer throws(TemplateFault) in
                var text = ""
                for value in values {
                    let part = try renderer.text(of: value)
                    try renderer.budget.append(part, to: &text)
                }
                return .string(text)
            }
        case .conditional(let condition, let ifTrue, let ifFalse):
            if try evaluate(condition).isTrue { return try evaluate(ifTrue) }
            guard let ifFalse else { return .undefined("the else of an if without one") }
            return try evaluate(ifFalse)
        }
    }

    private mutating func evaluate(_ expressions: [TemplateExpression]) throws(ChatTemplateError) -> [TemplateValue] {
        var values: [TemplateValue] = []
        for expression in expressions { values.append(try evaluate(expression)) }
        return values
    }

    private mutating func evaluate(_ arguments: TemplateArguments) throws(ChatTemplateError) -> TemplateCall {
        var call = TemplateCall(positional: try evaluate(arguments.positional))
        for (name, value) in arguments.named { call.named.append((name, try evaluate(value))) }
        return call
    }

    private mutating func dictionary(
        _ members: [(key: TemplateExpression, value: TemplateExpression)], _ position: TemplatePosition
    ) throws(ChatTemplateError) -> TemplateValue {
        var values: OrderedDictionary<ExactString, TemplateValue> = [:]
        for (key, value) in members {
            guard case .string(let name) = try evaluate(key) else {
                throw key.position.unsupported("a dictionary's key that is no string")
            }
            try at(key.position) { renderer throws(TemplateFault) in try renderer.budget.charge(text: name) }
            values[ExactString(name)] = try evaluate(value)
        }
        return try at(position) { _ throws(TemplateFault) in try .dictionary(values) }
    }

    private mutating func compare(
        _ first: TemplateExpression, _ others: [(comparator: String, value: TemplateExpression)],
        _ position: TemplatePosition
    ) throws(ChatTemplateError) -> Bool {
        var left = try evaluate(first)
        for (comparator, expression) in others {
            let right = try evaluate(expression)
            let holds = try at(position) { renderer throws(TemplateFault) in
                try renderer.compare(left, comparator, right)
            }
            if !holds { return false }
            left = right
        }
        return true
    }

    mutating func compare(
        _ left: TemplateValue, _ comparator: String, _ right: TemplateValue
    ) throws(TemplateFault) -> Bool {
        switch comparator {
        case "==": return try equal(left, right)
        case "!=": return try !equal(left, right)
        case "in": return try contains(right, left)
        case "not in": return try !contains(right, left)
        default:
            try budget.charge(textsOf: [left, right])
            if case .string(let left) = left, case .string(let right) = right {
                let (left, right) = (left.unicodeScalars, right.unicodeScalars)
                return Self.holds(
                    comparator, left.elementsEqual(right) ? 0 : left.lexicographicallyPrecedes(right) ? -1 : 1)
            }
            if let left = left.asInteger, let right = right.asInteger {
                return Self.holds(comparator, left == right ? 0 : left < right ? -1 : 1)
            }
            guard let left = left.asReal, let right = right.asReal else {
                throw .refused("\(left.kind) and \(right.kind) have no order")
            }
            return left.isNaN || right.isNaN
                ? false : Self.holds(comparator, left == right ? 0 : left < right ? -1 : 1)
        }
    }

    private static func holds(_ comparator: String, _ order: Int) -> Bool {
        switch comparator {
        case "<": order < 0
        case "<=": order <= 0
        case ">": order > 0
        default: order >= 0
        }
    }

    mutating func equal(_ left: TemplateValue, _ right: TemplateValue) throws(TemplateFault) -> Bool {
        try TemplateValue.equal(left, right, &budget)
    }

    /// Python's `in`.
    private mutating func contains(
        _ container: TemplateValue, _ value: TemplateValue
    ) throws(TemplateFault) -> Bool {
        switch container {
        case .undefined: return false
        case .string(let text):
            guard case .string(let part) = value else {
                throw .refused("\(value.kind) cannot be looked for in a string")
            }
            try budget.charge(textsOf: [container, value])
            return PythonString(text).firstIndex(of: PythonString(part)) != nil
        case .list(let elements), .tuple(let elements), .generator(let elements):
            for element in elements.values where try equal(element, value) { return true }
            return false
        case .dictionary(let members):
            guard case .string(let name) = value else { return false }
            try budget.charge(text: name)
            return members.values[ExactString(name)] != nil
        default: throw .refused("\(container.kind) is no container")
        }
    }
}
