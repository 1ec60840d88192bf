/// A file of problems that cannot be used: which file, line and field, and why.
public struct ProblemSourceError: Error, Sendable, Hashable, CustomStringConvertible {
    public var file: String
    /// From 1; nil where the file as a whole is meant.
    public var line: Int?
    public var field: String?
    public var reason: String

    public init(file: String, line: Int? = nil, field: String? = nil, reason: String) {
        self.file = file
        self.line = line
        self.field = field
        self.reason = reason
    }

    public var description: String {
        file + (line.map { ", line \($0)" } ?? "") + (field.map { ", field “\($0)”" } ?? "") + ": " + reason
    }
}
