import Kernels
import Trajectories

/// Bytes that a buffer, or a few that go together, take, but for what the allocator rounds up.
public struct MemoryItem: Sendable, Hashable {
    public let name: String
    public let byteCount: Int

    /// Of elements of four bytes.
    init(_ name: String, elements: Int) {
        self.name = name
        byteCount = 4 * elements
    }
}

extension Backpropagation {
    /// Bytes of each large buffer that a pass, forward and backward, over `batch` takes; the pass keeps the largest it has needed.
    /// Left out are the batch's own lists and its spans, some tens of bytes a row.
    ///
    /// - Parameters:
    ///   - storage: nil where no backward pass follows, which then takes nothing.
    ///   - rank: of the adapters, where only they are trained.
    ///   - members: at work at once, each of which has a workspace; none where those are counted elsewhere.
    public static func memory(
        configuration: ModelConfiguration, batch: TrainingBatch, storage: ActivationStorage? = .kept, rank: Int? = nil,
        members: Int = 1
    ) -> [MemoryItem] {
        memory(
            configuration: configuration, rows: batch.rowCount, targets: batch.targets.count,
            positions: batch.longestSequence, pages: TrainingPages.Sizes(configuration, batch), storage: storage,
            rank: rank, members: members)
    }

    /// The same of a batch that is not there yet.
    ///
    /// - Parameters:
    ///   - longest: positions of its longest sequence; its pages are counted as if all rows stood in such sequences.
    public static func memory(
        configuration: ModelConfiguration, rows: Int, targets: Int, longest: Int,
        storage: ActivationStorage? = .kept, rank: Int? = nil, members: Int = 1
    ) -> [MemoryItem] {
        memory(
            configuration: configuration, rows: rows, targets: targets, positions: longest,
            pages: TrainingPages.Sizes(configuration, rows: rows, longest: longest), storage: storage, rank: rank,
            members: members)
    }

    private static func memory(
        configuration: ModelConfiguration, rows: Int, targets: Int, positions: Int, pages: TrainingPages.Sizes,
        storage: ActivationStorage?, rank: Int?, members: Int
    ) -> [MemoryItem] {
        let forward = PassSizes(configuration, storage: storage, rows: rows, targets: targets, positions: positions)
        let backward = storage.map { _ in
            BackwardSizes(configuration, rows: rows, targets: targets, positions: positions, rank: rank)
        }
        let workspace = backward?.workspace ?? forward.workspace
        return forward.memory + (backward?.memory ?? []) + [
            MemoryItem("workspaces", elements: members * workspace.count),
            MemoryItem("keys and values of a layer", elements: pages.memory + 2 * pages.tables),
        ]
    }
}

extension WorkspaceSizes {
    /// What passes, forward and backward, over so many rows and targets need of each member at work.
    ///
    /// - Parameters:
    ///   - longest: positions of the longest sequence.
    ///   - rank: of the adapters, where only they are trained.
    package init(_ configuration: ModelConfiguration, rows: Int, targets: Int, longest: Int, rank: Int? = nil) {
        self =
            BackwardSizes(configuration, rows: rows, targets: targets, positions: longest, rank: rank).workspace
    }
}

extension PolicyWeights {
    /// Bytes that a thread takes while it packs weights from files: the rows at hand, read and converted.
    public static func packingByteCount(_ configuration: ModelConfiguration) -> Int {
        let layout = PolicyWeightLayout(configuration)
        return 4 * (layout.rowCapacity + layout.packWorkspace)
    }
}

extension DecoderInference {
    /// Bytes of each large buffer for the capacities given to the initializer; left out are the rows' tokens, positions and spans,
    /// some 200 bytes a row, and the lists of free and of attended pages.
    public static func memory(
        configuration shape: ModelConfiguration, rowCapacity: Int, logitCapacity: Int, pageCapacity: Int,
        places: Int = 1
    ) -> [MemoryItem] {
        let layout = ActivationLayout(configuration: shape, rows: rowCapacity, purpose: .inference)
        let workspace = places * workspaceCount(shape)
        return [
            MemoryItem("keys and values", elements: KeyValuePages.pageCount(shape) * pageCapacity),
            MemoryItem("activations", elements: layout.count + rowCapacity * (shape.hiddenSize + 2)),
            MemoryItem("logits", elements: logitCapacity * (shape.hiddenSize + shape.vocabularySize)),
            MemoryItem(
                "attention workspace",
                elements: workspace + shape.forwardScratch(rows: max(rowCapacity, logitCapacity))),
        ]
    }
}
