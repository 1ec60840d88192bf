/// A file that does not hold what its format promises, or asks for what is not supported.
public struct FormatError: Error, Hashable, CustomStringConvertible {
    /// The file's path or name.
    public var file: String
    /// The field, tensor or line; empty when the whole file is meant.
    public var field: String
    /// What is wrong, and what would be right.
    public var reason: String

    public init(file: String, field: String, reason: String) {
        self.file = file
        self.field = field
        self.reason = reason
    }

    public var description: String {
        field.isEmpty ? "\(file): \(reason)" : "\(file): \(field): \(reason)"
    }
}
