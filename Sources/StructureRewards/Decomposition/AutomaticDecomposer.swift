import Trajectories

/// Reads text that holds a tag with `TaggedDecomposer`, any other with `RulesDecomposer`.
public struct AutomaticDecomposer: Decomposer {
    private let tagged = TaggedDecomposer()
    private let rules: RulesDecomposer

    public init(reader: any StructureReader = SolutionLineReader()) {
        rules = RulesDecomposer(reader: reader)
    }

    public func structure(of text: String, question: String?) async throws -> Structure {
        try await decomposer(for: text).structure(of: text, question: question)
    }

    public func looseStructure(of text: String, question: String?) async throws -> LooseStructure {
        try await decomposer(for: text).looseStructure(of: text, question: question)
    }

    private func decomposer(for text: String) -> any Decomposer {
        let bytes = Array(text.utf8)
        return StepTag.all(in: bytes).isEmpty && ReferenceTag.all(in: bytes).isEmpty ? rules : tagged
    }
}
