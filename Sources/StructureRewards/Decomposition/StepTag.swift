/// The role of a tagged part within a step.
enum StepRole: Int, CaseIterable, Sendable {
    case metaReasoning
    case subProblem
    case answer

    /// The name to show in messages.
    var name: String {
        switch self {
        case .metaReasoning: "Meta-reasoning"
        case .subProblem: "Sub-problem"
        case .answer: "Answer"
        }
    }

    /// From a tag's name in lower case, with hyphens, underscores and spaces taken out.
    init?(foldedName: String) {
        switch foldedName {
        case "metareasoning", "meatreasoning", "subthink": self = .metaReasoning
        case "subproblem", "query": self = .subProblem
        case "answer": self = .answer
        default: return nil
        }
    }
}

/// `[Sub-problem 3]` found in a text.
struct StepTag: Sendable {
    var role: StepRole
    var number: Int
    /// Written with the name that the paper's released code reads, `sub-think`, `Query` or `Answer`, in any spelling.
    var hasReferenceName: Bool
    /// UTF-8 offsets of the tag itself, brackets included.
    var range: Range<Int>

    /// Longest run of bytes between the brackets that can still be a tag.
    private static let longestName = 48

    /// Every tag of `bytes`, in order. Case, spaces, hyphens and a colon within the brackets do not matter.
    static func all(in bytes: [UInt8]) -> [StepTag] {
        var tags: [StepTag] = []
        var position = 0
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "["), let tag = StepTag(in: bytes, at: position) {
                tags.append(tag)
                position = tag.range.upperBound
            } else {
                position += 1
            }
        }
        return tags
    }

    private init?(in bytes: [UInt8], at start: Int) {
        var name = ""
        var digits = ""
        var position = start + 1
        let limit = min(bytes.count, start + Self.longestName)
        while position < limit {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                guard digits.isEmpty else { return nil }
                name.unicodeScalars.append(Unicode.Scalar(byte | 0x20))
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"):
                continue
            case UInt8(ascii: "]"):
                guard let role = StepRole(foldedName: name), let number = Int(digits) else { return nil }
                self.role = role
                self.number = number
                hasReferenceName = ["subthink", "query", "answer"].contains(name)
                range = start..<position
                return
            default:
                return nil
            }
        }
        return nil
    }
}
