import Trajectories

/// Reads a solution written line by line, in plain prose, Markdown or LaTeX, without a model.
///
/// - A line that states a result is a step. List markers, headings, "Step 3:", emphasis, LaTeX commands and calculator marks
///   (`<<48/2=24>>`) are mark-up and taken off; `#### x`, `A: x`, "The answer is x" and a `\boxed{x}` that computes nothing
///   state the final answer and are not steps. `<think>` and all from `</think>` on are left out.
/// - The **answer** is the line's last result: the value after the last equals sign, else the last number.
/// - The **sub-problem** is the line without it.
/// - The **meta-reasoning** is the question before ` ** ` where the line has one (`sub-question ** solving`). Else it follows
///   a template: "find", then the words of the line that carry meaning, once each, numbers and function words left out,
///   and "dollars" where it has that sign; before them those of the heading it stands under and of prose right before it that
///   ends with a colon. A line with fewer than two such words of its own takes those of any prose right before it.
/// - A line without a number, such as a heading or a plan, is no step but introduces the next, and so does a line that has a
///   number but computes nothing ("He bought 5 pies"), unless no line of the text computes.
public struct SolutionLineReader: StructureReader {
    public init() {}

    public func structure(of text: String) throws(UnreadablePath) -> Structure {
        let lines = SolutionLine.all(in: Self.reasoning(in: text))
        let computes = lines.contains { $0.result?.isComputed ?? false }
        var steps: [Step] = []
        var introduction = Introduction()
        for line in lines where !line.isFinalAnswer {
            guard let result = line.result, result.isComputed || !computes else {
                introduction.add(line)
                continue
            }
            steps.append(line.step(result, introducedBy: introduction))
            introduction.finishStep(line)
        }
        guard !steps.isEmpty else {
            throw UnreadablePath(reason: "no line states a result", offset: 0, line: 1)
        }
        return Structure(steps: steps)
    }

    /// What precedes `</think>`, without `<think>`; all of a text that has neither.
    private static func reasoning(in text: String) -> Substring {
        var rest = text[...]
        if let end = rest.firstRange(of: "</think>") { rest = rest[..<end.lowerBound] }
        if let start = rest.firstRange(of: "<think>") { rest = rest[start.upperBound...] }
        return rest
    }
}

/// What was said before a line and tells what it is about.
private struct Introduction {
    private var heading: [String] = []
    private var prose: [String] = []
    private var proseAnnounces = false

    /// For a line with enough words of its own: the heading it stands under, and prose that ends with a colon.
    var announcement: [String] { proseAnnounces ? heading + prose : heading }

    var all: [String] { heading + prose }

    mutating func add(_ line: SolutionLine) {
        guard !line.words.isEmpty else { return }
        if line.line.isItem {
            heading = line.words
            prose = []
        } else {
            prose = line.words
        }
        proseAnnounces = !line.line.isItem && line.line.text.hasSuffix(":")
    }

    mutating func finishStep(_ line: SolutionLine) {
        prose = []
        proseAnnounces = false
        if line.line.isItem { heading = [] }
    }
}

/// One line with what it asks, what it says and what it results in.
private struct SolutionLine {
    var line: PlainLine
    /// The sub-question before ` ** `, where the line has one.
    var question: String?
    var result: LineResult?
    /// Words that carry meaning, in order of appearance, once each, in lower case.
    var words: [String]

    static func all(in text: Substring) -> [SolutionLine] {
        text.split(whereSeparator: \.isNewline).map { SolutionLine($0) }
    }

    init(_ raw: Substring) {
        var rest = raw
        if let separator = raw.firstRange(of: " ** "), raw[..<separator.lowerBound].contains(where: \.isLetter) {
            question = String(raw[..<separator.lowerBound].trimmed)
            rest = raw[separator.upperBound...]
        }
        line = PlainLine(rest)
        result = LineResult(line)
        words = ContentWords.surface(in: line.text)
        if line.bytes.contains(UInt8(ascii: "$")) { words.append("dollars") }
    }

    var isFinalAnswer: Bool {
        if line.hasAnswerSign { return true }
        let text = line.text.lowercased()
        let openings = ["a:", "answer:", "final answer", "the final answer", "the answer", "so the final answer"]
        if openings.contains(where: text.hasPrefix) { return true }
        return line.isBoxed && !(result?.isComputed ?? false)
    }

    func step(_ result: LineResult, introducedBy introduction: Introduction) -> Step {
        Step(
            metaReasoning: question ?? template(introducedBy: introduction),
            subProblem: subProblem(without: result),
            answer: result.text)
    }

    private func template(introducedBy introduction: Introduction) -> String {
        var all = (words.count < 2 ? introduction.all : introduction.announcement) + words
        var seen: Set<String> = []
        all.removeAll { !seen.insert($0).inserted }
        return all.isEmpty ? "find the next value" : "find " + all.joined(separator: " ")
    }

    private func subProblem(without result: LineResult) -> String {
        let kept = line.bytes[..<result.range.lowerBound] + [UInt8(ascii: " ")] + line.bytes[result.range.upperBound...]
        let words = String(decoding: kept, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        return words.joined(separator: " ")
    }
}
