import Trajectories

/// A solution as GSM8K writes it. What its steps are is for a `StructureReader` to say, the one that reads the student too.
struct GSM8KSolution: Sendable, Hashable {
    var lines: [GSM8KLine]
    /// What stands after `####`, without the commas of thousands.
    var finalAnswer: String

    /// Nil when the text does not end with `#### x`, or has no line before it. Blank lines are skipped.
    init?(_ text: String) {
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
        guard lines.count > 1, let last = lines.last, last.hasPrefix("####") else { return nil }
        finalAnswer = last.dropFirst(4).filter { !$0.isWhitespace && $0 != "," }
        guard !finalAnswer.isEmpty else { return nil }
        self.lines = lines.dropLast().map { GSM8KLine(String($0)) }
    }

    /// The lines and the final answer, without labels and calculator marks.
    var text: String { (lines.map(\.text) + ["#### \(finalAnswer)"]).joined(separator: "\n") }

    /// Each line with the sub-question that it answers, as a student writes it, without calculator marks; nil unless every line
    /// tells its own.
    var labelledText: String? {
        let labelled = lines.compactMap { line in line.subQuestion.map { "\($0) ** \(line.text)" } }
        return labelled.count == lines.count ? labelled.joined(separator: "\n") : nil
    }
}

/// One line of a solution: `Natalia sold 48/2 = <<48/2=24>>24 clips in May.`
struct GSM8KLine: Sendable, Hashable {
    /// What stands before ` ** `.
    var subQuestion: String?
    /// The rest without calculator marks; a mark that nothing closes stays.
    var text: String

    init(_ line: String) {
        var rest = line[...]
        if let separator = line.firstRange(of: " ** ") {
            subQuestion = String(line[..<separator.lowerBound])
            rest = line[separator.upperBound...]
        }
        text = ""
        while let start = rest.firstRange(of: "<<"), let end = rest[start.upperBound...].firstRange(of: ">>") {
            text += rest[..<start.lowerBound]
            rest = rest[end.upperBound...]
        }
        text += rest
    }
}
