import Trajectories

/// Decomposes free text by rules, without a model: what a `StructureReader` reads.
///
/// The reader is `SolutionLineReader` unless a task plugs in one for its own notation.
public struct RulesDecomposer: Decomposer {
    public var reader: any StructureReader

    public init(reader: any StructureReader = SolutionLineReader()) {
        self.reader = reader
    }

    public func structure(of text: String, question: String?) async throws -> Structure {
        do {
            return try reader.structure(of: text)
        } catch {
            throw DecompositionFailure(error)
        }
    }
}
