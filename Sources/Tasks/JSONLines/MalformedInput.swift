/// Input that cannot be read: which file, line and field, and what is wrong.
public struct MalformedInput: Error, Sendable, Hashable, CustomStringConvertible {
    public var file: String
    /// From 1; nil where the file as a whole is meant.
    public var line: Int?
    /// Path of the field within the row, such as `6b_finetuning.solution`; nil where the row as a whole is meant.
    public var field: String?
    public var problem: String

    public init(file: String, line: Int? = nil, field: String? = nil, problem: String) {
        self.file = file
        self.line = line
        self.field = field
        self.problem = problem
    }

    public var description: String {
        var text = file
        if let line { text += ", line \(line)" }
        if let field { text += ", field “\(field)”" }
        return text + ": " + problem
    }
}
