import Files
import StructureRewards
import Tasks
import Trajectories

/// A path in a row: text to be decomposed, or a structure, `{"steps": [{"metaReasoning", "subProblem", "answer"}]}`.
enum ScorePath: Sendable, Hashable {
    case text(String)
    case structure(Structure)
}

/// One row in for `rlkd score`: `{"id", "teacher", "student", "question"?, "correct"?, "model"?}`.
struct ScoreRow: Sendable, Hashable {
    var id: RowIdentifier
    var teacher: ScorePath
    var student: ScorePath
    /// For decomposers that need it.
    var question: String?
    /// Whether the student's final answer is right; only the separation report looks at it, never the reward.
    var correct: Bool?
    /// Which model wrote the student's path; the separation is reported for each.
    var model: String?
}

extension ScoreRow {
    /// - Throws: `MalformedInput`.
    init(_ row: JSONRow) throws(MalformedInput) {
        self.init(
            id: try row.identifier(), teacher: try row.path("teacher"), student: try row.path("student"),
            question: try row.string("question"), correct: try row.boolean("correct"), model: try row.string("model"))
    }
}

extension JSONRow {
    fileprivate func path(_ name: String) throws(MalformedInput) -> ScorePath {
        switch self[name] {
        case .string(let text): return .text(text)
        case .object:
            do {
                let field = JSONField(file: file, path: name, value: self[name])
                let steps = try field["steps"].elements().map { step in
                    Step(
                        metaReasoning: try step["metaReasoning"].string(), subProblem: try step["subProblem"].string(),
                        answer: try step["answer"].string())
                }
                return .structure(Structure(steps: steps))
            } catch let error as FormatError {
                throw failure(error.field, error.reason)
            } catch {
                throw failure(name, "\(error)")
            }
        case .null: throw failure(name, "is missing")
        default: throw failure(name, "is \(self[name].kind), neither a text nor a structure")
        }
    }
}
