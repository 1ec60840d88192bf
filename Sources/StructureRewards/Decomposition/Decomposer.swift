import Trajectories

/// Turns a path into its structure: the first half of the Generative Structure Reward Model (arXiv 2505.16142, section 3).
///
/// A failure is a `DecompositionFailure`, or a `CancellationError` when the task was cancelled meanwhile.
public protocol Decomposer: Sendable {
    /// - Parameters:
    ///   - text: the path.
    ///   - question: what the path answers, for a decomposer that needs it; the others ignore it.
    func structure(of text: String, question: String?) async throws -> Structure

    /// The three lists that `Compatibility.reference` aligns. By default those of `structure(of:question:)`, equally long.
    func looseStructure(of text: String, question: String?) async throws -> LooseStructure
}

extension Decomposer {
    public func looseStructure(of text: String, question: String?) async throws -> LooseStructure {
        LooseStructure(try await structure(of: text, question: question))
    }
}

/// A path that could not be decomposed: why, and where.
public struct DecompositionFailure: Error, Sendable, Codable, Hashable, CustomStringConvertible {
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

    public init(_ path: UnreadablePath) {
        self.init(reason: path.reason, offset: path.offset, line: path.line)
    }

    public var description: String { "line \(line): \(reason)" }
}
