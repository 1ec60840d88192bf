import Trajectories

/// Reads text that is already in `[Meta-reasoning i] … [Sub-problem i] … [Answer i]`.
///
/// `[Meat-reasoning i]` and `[sub-think i]`, `[Query i]` are accepted too, whatever the case and the spaces; text before the
/// first tag is ignored. Tags must come in that order, numbered from 1, none missing, none empty: anything else is a failure
/// that names the tag expected. An answer ends before a line that starts with "So the final answer" or "The final answer",
/// which sums up the path and is no part of the step.
public struct TaggedDecomposer: Decomposer, StructureReader {
    public init() {}

    public func structure(of text: String, question: String?) async throws -> Structure {
        do {
            return try structure(of: text)
        } catch {
            throw DecompositionFailure(error)
        }
    }

    public func structure(of text: String) throws(UnreadablePath) -> Structure {
        let bytes = Array(text.utf8)
        let tags = StepTag.all(in: bytes)
        guard !tags.isEmpty else {
            throw UnreadablePath(reason: "no tag; [Meta-reasoning 1] expected", offset: 0, line: 1)
        }
        var steps: [Step] = []
        var parts: [String] = []
        for (index, tag) in tags.enumerated() {
            let expectedNumber = index / StepRole.allCases.count + 1
            let expectedRole = StepRole.allCases[index % StepRole.allCases.count]
            guard tag.role == expectedRole, tag.number == expectedNumber else {
                throw UnreadablePath(
                    reason: "[\(expectedRole.name) \(expectedNumber)] expected, [\(tag.role.name) \(tag.number)] found",
                    offset: tag.range.lowerBound, in: text)
            }
            let end = index + 1 < tags.count ? tags[index + 1].range.lowerBound : bytes.count
            var content = Self.content(of: bytes[tag.range.upperBound..<end])
            if tag.role == .answer { content = Self.withoutSummary(content) }
            guard !content.isEmpty else {
                throw UnreadablePath(
                    reason: "[\(tag.role.name) \(tag.number)] is empty", offset: tag.range.lowerBound, in: text)
            }
            parts.append(content)
            if tag.role == .answer {
                steps.append(Step(metaReasoning: parts[0], subProblem: parts[1], answer: parts[2]))
                parts.removeAll(keepingCapacity: true)
            }
        }
        guard parts.isEmpty else {
            let missing = StepRole.allCases[parts.count]
            throw UnreadablePath(
                reason: "the text ends where [\(missing.name) \(steps.count + 1)] is expected", offset: bytes.count,
                in: text)
        }
        return Structure(steps: steps)
    }

    /// Without the colon or the closing `**` that may follow a tag, the opening `**` of the next tag, and outer white space.
    static func content(of bytes: ArraySlice<UInt8>) -> String {
        var text = Substring(decoding: bytes, as: UTF8.self).trimmed
        while let first = text.first, first == ":" || first == "*" { text = text.dropFirst().trimmed }
        while text.last == "*" { text = text.dropLast().trimmed }
        return String(text)
    }

    private static func withoutSummary(_ answer: String) -> String {
        let lines = answer.split(separator: "\n", omittingEmptySubsequences: false)
        let kept = lines.prefix { line in
            let start = line.trimmed.lowercased()
            return !start.hasPrefix("so the final answer") && !start.hasPrefix("the final answer")
        }
        return String(kept.joined(separator: "\n")[...].trimmed)
    }
}

extension Substring {
    /// Without white space at both ends.
    var trimmed: Substring {
        var rest = self
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return rest
    }
}
