import Trajectories

/// A decomposer that never decomposes the same content twice while it keeps it, even when asked from several tasks at once.
///
/// Shared by all scoring workers for the teacher's traces. Failures are kept, too: they depend on the text alone.
public struct DecompositionCache: Decomposer {
    private let decomposer: any Decomposer
    private let structures: OnceCache<ContentKey, Result<Structure, DecompositionFailure>>
    private let looseStructures: OnceCache<ContentKey, Result<LooseStructure, DecompositionFailure>>

    /// - Parameter capacity: how many paths are kept at most.
    public init(_ decomposer: any Decomposer, capacity: Int = 65_536) {
        self.decomposer = decomposer
        structures = OnceCache(capacity: capacity)
        looseStructures = OnceCache(capacity: capacity)
    }

    public func structure(of text: String, question: String?) async throws -> Structure {
        let key = ContentKey(text: text, question: question)
        return try await structures.value(for: key) {
            do {
                return .success(try await decomposer.structure(of: text, question: question))
            } catch let failure as DecompositionFailure {
                return .failure(failure)
            }
        }.get()
    }

    public func looseStructure(of text: String, question: String?) async throws -> LooseStructure {
        let key = ContentKey(text: text, question: question)
        return try await looseStructures.value(for: key) {
            do {
                return .success(try await decomposer.looseStructure(of: text, question: question))
            } catch let failure as DecompositionFailure {
                return .failure(failure)
            }
        }.get()
    }

    /// How often a structure was there or being made, how often it was made, and how many are kept now.
    public var statistics: (hits: Int, misses: Int, count: Int) { structures.statistics }
}
