/// Reads the structure of a path written in some notation, without a model.
///
/// A task whose paths have a notation of their own provides one, so that rewards can read it without knowing the task.
public protocol StructureReader: Sendable {
    /// The steps of `text`, in the order in which they are written.
    func structure(of text: String) throws(UnreadablePath) -> Structure
}

/// A path that a reader could not read: why, and where.
public struct UnreadablePath: Error, Sendable, Codable, Hashable, CustomStringConvertible {
    public var reason: String
    /// UTF-8 offset in the text, from 0.
    public var offset: Int
    /// Line in the text, from 1.
    public var line: Int

    public init(reason: String, offset: Int, line: Int) {
        self.reason = reason
        self.offset = offset
        self.line = line
    }

    /// Counts the line from `offset`.
    public init(reason: String, offset: Int, in text: String) {
        let before = text.utf8.prefix(max(0, offset))
        self.init(reason: reason, offset: offset, line: 1 + before.count { $0 == UInt8(ascii: "\n") })
    }

    public var description: String { "line \(line): \(reason)" }
}
