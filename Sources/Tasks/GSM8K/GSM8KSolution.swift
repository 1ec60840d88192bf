import Trajectories

/// A solution as GSM8K writes it.
public struct GSM8KSolution: Sendable, Hashable {
    public var lines: [GSM8KLine]
    /// What stands after `####`, without the commas of thousands.
    public var finalAnswer: String

    /// Nil when the text does not end with `#### x`, or has no line before it. Blank lines are skipped.
    public init?(_ text: String) {
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
        guard lines.count > 1, let last = lines.last, last.hasPrefix("####") else { return nil }
        finalAnswer = last.dropFirst(4).filter { !$0.isWhitespace && $0 != "," }
        guard !finalAnswer.isEmpty else { return nil }
        self.lines = lines.dropLast().map { GSM8KLine(String($0)) }
    }

    /// The lines and the final answer, without labels.
    public func text(_ marks: GSM8K.CalculatorMarks) -> String {
        (lines.map { marks == .keep ? $0.markedText : $0.text } + ["#### \(finalAnswer)"]).joined(separator: "\n")
    }

    /// A line a step; nil unless every line tells the sub-question that it answers.
    public var structure: Structure? {
        let steps = lines.compactMap(\.step)
        return steps.count == lines.count ? Structure(steps: steps) : nil
    }
}

/// One line of a solution: `Natalia sold 48/2 = <<48/2=24>>24 clips in May.`
public struct GSM8KLine: Sendable, Hashable {
    /// What stands before ` ** `.
    public var subQuestion: String?
    /// The rest as it stands.
    public var markedText: String
    /// The rest without calculator marks.
    public var text: String
    /// Of the last mark, else the number after the last equals sign, else the last number; nil when the line has none.
    /// Without the commas of thousands.
    public var result: String?
    /// The line without its result, for which `?` stands.
    public var subProblem: String

    public init(_ line: String) {
        markedText = line
        if let separator = line.firstRange(of: " ** ") {
            subQuestion = String(line[..<separator.lowerBound])
            markedText = String(line[separator.upperBound...])
        }
        let marked = MarkedLine(Array(markedText.utf8))
        let numbers = NumberSpan.all(in: marked.bytes)
        text = String(decoding: marked.bytes, as: UTF8.self)
        let written = marked.writtenResult(numbers)
        result = marked.lastResult ?? written?.text
        guard let written else {
            subProblem = text
            return
        }
        let kept =
            marked.bytes[..<written.range.lowerBound] + [UInt8(ascii: "?")] + marked.bytes[written.range.upperBound...]
        subProblem = String(decoding: kept, as: UTF8.self)
    }

    /// The sub-question is the meta-reasoning; nil without one.
    public var step: Step? {
        subQuestion.map { Step(metaReasoning: $0, subProblem: subProblem, answer: result ?? "") }
    }
}

/// A line freed of its calculator marks.
private struct MarkedLine {
    /// The line without marks.
    var bytes: [UInt8] = []
    /// The right-hand side of the last mark, trimmed, when it is a number.
    var lastResult: String?
    /// Where in `bytes` the last mark stood.
    var lastMarkEnd: Int?

    /// A mark that nothing closes stays.
    init(_ line: [UInt8]) {
        let open = [UInt8](repeating: UInt8(ascii: "<"), count: 2)
        let close = [UInt8](repeating: UInt8(ascii: ">"), count: 2)
        var rest = line[...]
        while let start = rest.firstRange(of: open) {
            guard let end = rest[start.upperBound...].firstRange(of: close) else { break }
            bytes += rest[..<start.lowerBound]
            let mark = rest[start.upperBound..<end.lowerBound]
            let result = mark.lastIndex(of: UInt8(ascii: "=")).map { mark[($0 + 1)...] } ?? mark
            lastResult = NumberSpan.all(in: Array(result)).last?.text
            lastMarkEnd = bytes.count
            rest = rest[end.upperBound...]
        }
        bytes += rest
    }

    /// Where the line writes its result. After a mark the result stands again, at once or further on; one written in words is
    /// nowhere.
    func writtenResult(_ numbers: [NumberSpan]) -> NumberSpan? {
        if let lastMarkEnd {
            let later = numbers.filter { $0.range.lowerBound >= lastMarkEnd }
            return later.first { $0.range.lowerBound <= lastMarkEnd + 1 || $0.text == lastResult }
        }
        let equals = bytes.lastIndex(of: UInt8(ascii: "="))
        return equals.flatMap { equals in numbers.first { $0.range.lowerBound > equals } } ?? numbers.last
    }
}
