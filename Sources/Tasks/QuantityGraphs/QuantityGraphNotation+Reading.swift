extension QuantityGraphNotation {
    /// Reads a path in either notation, or in both mixed step by step. Takes any text; a step counts when its separator
    /// stands.
    public static func read(_ text: String) -> PathReading {
        var scanner = SymbolScanner(text)
        var steps: [QuantityGraphStep] = []
        while true {
            let start = scanner.position
            if let step = takeStudentStep(&scanner) {
                steps.append(step)
                continue
            }
            scanner.rewind(to: start)
            if let step = takeTeacherStep(&scanner) {
                steps.append(step)
                continue
            }
            scanner.rewind(to: start)
            let finalAnswer = takeAnswer(&scanner)
            scanner.skipWhitespace()
            guard finalAnswer == nil || !scanner.isAtEnd else {
                return PathReading(steps: steps, finalAnswer: finalAnswer, problem: nil)
            }
            let reason =
                if finalAnswer != nil {
                    "text after the final answer"
                } else if scanner.isAtEnd {
                    "no final answer"
                } else {
                    "step \(steps.count + 1) is in neither notation or incomplete"
                }
            return PathReading(
                steps: steps, finalAnswer: finalAnswer, problem: "\(reason), at byte \(scanner.position)")
        }
    }

    private static func takeAnswer(_ scanner: inout SymbolScanner) -> String? {
        let start = scanner.position
        guard scanner.take("#") || scanner.take(TeacherPhrases.answer), let value = scanner.takeNumber() else {
            scanner.rewind(to: start)
            return nil
        }
        return String(value)
    }

    private static func takeStudentStep(_ scanner: inout SymbolScanner) -> QuantityGraphStep? {
        guard let name = scanner.takeName() else { return nil }
        if scanner.take("=") {
            guard let definition = scanner.takeInfix(name), scanner.take("|") else { return nil }
            return .open(definition)
        }
        guard scanner.take(";"), let left = takeSubstituted(&scanner, marker: ":"),
            let operation = scanner.takeOperator(), let right = takeSubstituted(&scanner, marker: ":"),
            scanner.takeName() == name, scanner.take(":"), let value = scanner.takeNumber(), scanner.take("|")
        else { return nil }
        return .solve(
            QuantitySolution(name: name, left: left, operation: operation, right: right, value: value))
    }

    private static func takeTeacherStep(_ scanner: inout SymbolScanner) -> QuantityGraphStep? {
        if TeacherPhrases.openings.contains(where: { scanner.take($0.lead) }) {
            guard let name = scanner.takeName(), let operation = takeWord(&scanner),
                let left = scanner.takeOperand(), scanner.take(","), let right = scanner.takeOperand(),
                scanner.take(TeacherPhrases.separator)
            else { return nil }
            return .open(QuantityDefinition(name: name, left: left, operation: operation, right: right))
        }
        guard let phrase = TeacherPhrases.solvings.first(where: { scanner.take($0.lead) }) else { return nil }
        let announced = phrase.namesFirst ? scanner.takeName() : nil
        guard announced != nil || !phrase.namesFirst, let operation = takeWord(&scanner),
            let left = takeSubstituted(&scanner, marker: ""), scanner.take(","),
            let right = takeSubstituted(&scanner, marker: ""),
            TeacherPhrases.solvings.contains(where: { scanner.take($0.link) }),
            let name = scanner.takeName(), announced ?? name == name, let value = scanner.takeNumber(),
            scanner.take(TeacherPhrases.separator)
        else { return nil }
        return .solve(
            QuantitySolution(name: name, left: left, operation: operation, right: right, value: value))
    }

    private static func takeWord(_ scanner: inout SymbolScanner) -> QuantityOperator? {
        QuantityOperator.allCases.first { scanner.take(TeacherPhrases.word(for: $0)) }
    }

    /// A number, or a name, the marker and a number.
    private static func takeSubstituted(_ scanner: inout SymbolScanner, marker: String) -> SubstitutedOperand? {
        let name = scanner.takeName()
        guard name == nil || scanner.take(marker), let value = scanner.takeNumber() else { return nil }
        return SubstitutedOperand(name: name, value: value)
    }
}
