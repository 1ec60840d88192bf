/// How a path is written.
///
/// - `student`: `e=a*g|a=5-6|a;5-6a:10|…|e;a:10*g:4e:7|#7`. Each role of a name is a token of its own, the definition
///   stands as it does in the question, and a value stands right behind its marker.
/// - `teacher`: prefix operators and other wording, several phrasings a step; about 1.4 times the tokens.
public enum QuantityGraphNotation: String, Sendable, Codable, CaseIterable {
    case student, teacher

    /// The path's symbols, one a token, the final answer last and no end-of-sequence. The generator chooses the phrasing.
    public func symbols(
        of path: [QuantityAction], in graph: QuantityGraph, using generator: inout SplitMixGenerator
    ) -> [String] {
        let values = graph.values()
        var symbols: [String] = []
        for action in path {
            guard let definition = graph.definition(of: action.name) else { continue }
            let choice = generator.next()
            switch (self, action) {
            case (.student, .open): symbols += definition.symbols + ["|"]
            case (.student, .solve): symbols += QuantityGraphNotation.studentSolving(definition, values: values)
            case (.teacher, .open):
                let phrase = TeacherPhrases.openings[Int(choice % UInt64(TeacherPhrases.openings.count))]
                symbols += phrase.symbols(definition)
            case (.teacher, .solve):
                let phrase = TeacherPhrases.solvings[Int(choice % UInt64(TeacherPhrases.solvings.count))]
                symbols += phrase.symbols(definition, values: values)
            }
        }
        return symbols + [self == .student ? "#" : TeacherPhrases.answer, String(values[graph.question] ?? 0)]
    }

    /// The symbols joined.
    public func text(
        of path: [QuantityAction], in graph: QuantityGraph, using generator: inout SplitMixGenerator
    ) -> String {
        symbols(of: path, in: graph, using: &generator).joined()
    }

    /// The most tokens that this path can take, whatever the phrasing, with the final answer and one end-of-sequence.
    public func tokenBound(of path: [QuantityAction], in graph: QuantityGraph) -> Int {
        path.reduce(3) { sum, action in
            sum + tokenBound(of: action, isLeaf: graph.definition(of: action.name)?.operandNames.isEmpty ?? false)
        }
    }

    /// The most tokens of one step.
    func tokenBound(of action: QuantityAction, isLeaf: Bool) -> Int {
        switch (self, action) {
        case (.student, .open): 5
        case (.student, .solve): isLeaf ? 7 : 9
        case (.teacher, .open): 7
        case (.teacher, .solve): isLeaf ? 10 : 12
        }
    }

    private static func studentSolving(_ definition: QuantityDefinition, values: [QuantityName: Int]) -> [String] {
        func substituted(_ operand: QuantityOperand) -> [String] {
            switch operand {
            case .constant(let value): [String(value)]
            case .name(let name): ["\(name):", String(values[name] ?? 0)]
            }
        }
        return ["\(definition.name);"] + substituted(definition.left) + [definition.operation.description]
            + substituted(definition.right) + ["\(definition.name):", String(values[definition.name] ?? 0), "|"]
    }
}

extension QuantityDefinition {
    /// As it stands in the question and in the student's opening step.
    var symbols: [String] {
        ["\(name)=", left.description, operation.description, right.description]
    }
}

extension TeacherPhrases.Opening {
    func symbols(_ definition: QuantityDefinition) -> [String] {
        [
            lead, definition.name.description, TeacherPhrases.word(for: definition.operation),
            definition.left.description, ",", definition.right.description, TeacherPhrases.separator,
        ]
    }
}

extension TeacherPhrases.Solving {
    func symbols(_ definition: QuantityDefinition, values: [QuantityName: Int]) -> [String] {
        func substituted(_ operand: QuantityOperand) -> [String] {
            [operand.description] + (operand.name.map { [String(values[$0] ?? 0)] } ?? [])
        }
        let name = definition.name.description
        return [lead] + (namesFirst ? [name] : []) + [TeacherPhrases.word(for: definition.operation)]
            + substituted(definition.left) + [","] + substituted(definition.right)
            + [link, name, String(values[definition.name] ?? 0), TeacherPhrases.separator]
    }
}
