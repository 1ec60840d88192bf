import Kernels
import Memory

/// Forward passes without gradients over rows of many sequences at once: decode steps and prefill chunks alike.
///
/// A step is `begin()`, one `append` a sequence, `forward(weights)`, then `logits(_:)`. One thread at a time; nothing is
/// allocated after the first steps.
public final class DecoderInference {
    public let configuration: ModelConfiguration
    public let pages: KeyValuePages
    public let rowCapacity: Int

    let tokens: AlignedBuffer<Int32>
    let positions: AlignedBuffer<Int32>
    let hidden: AlignedBuffer<Float>
    let buffers: AlignedBuffer<Float>
    private let activations: LayerActivations
    let workspace: AlignedBuffer<Float>
    let scratch: AlignedBuffer<BFloat16Pair>
    let selected: AlignedBuffer<Float>
    let logitRows: AlignedBuffer<Float>
    private var spans: [RowSpan] = []
    private var logitSources: [Int] = []

    public private(set) var rowCount = 0

    /// - Parameters:
    ///   - rowCapacity: rows a step.
    ///   - logitCapacity: rows a step whose logits are wanted.
    ///   - pageCapacity: pages of 16 positions for all sequences together.
    public init(configuration: ModelConfiguration, rowCapacity: Int, logitCapacity: Int, pageCapacity: Int) {
        self.configuration = configuration
        self.rowCapacity = rowCapacity
        pages = KeyValuePages(configuration: configuration, capacity: pageCapacity)
        tokens = AlignedBuffer(count: rowCapacity)
        positions = AlignedBuffer(count: rowCapacity)
        hidden = AlignedBuffer(count: rowCapacity * configuration.hiddenSize)
        let layout = ActivationLayout(configuration: configuration, rows: rowCapacity, purpose: .inference)
        buffers = AlignedBuffer(count: layout.count)
        activations = layout.activations(at: buffers.pointer, input: hidden.pointer)
        workspace = AlignedBuffer(count: Attention.workspaceCount(maximumPositions: configuration.maxPositions))
        scratch = AlignedBuffer(count: configuration.forwardScratch(rows: max(rowCapacity, logitCapacity)))
        selected = AlignedBuffer(count: logitCapacity * configuration.hiddenSize)
        logitRows = AlignedBuffer(count: logitCapacity * configuration.vocabularySize)
        spans.reserveCapacity(rowCapacity)
        logitSources.reserveCapacity(logitCapacity)
    }

    public func begin() {
        rowCount = 0
        spans.removeAll(keepingCapacity: true)
        logitSources.removeAll(keepingCapacity: true)
    }

    /// Adds rows of one sequence, whose table has room for them.
    ///
    /// - Returns: the index for `logits(_:)` of the last row, if `wantsLogits`.
    @discardableResult
    public func append(
        tokens newTokens: UnsafeBufferPointer<Int32>, firstPosition: Int, table: borrowing PageTable, wantsLogits: Bool
    ) -> Int? {
        precondition(rowCount + newTokens.count <= rowCapacity, "a step has room for \(rowCapacity) rows")
        spans.append(
            RowSpan(
                firstRow: rowCount, count: newTokens.count, firstPosition: firstPosition, blocks: table.blocks))
        for (index, token) in newTokens.enumerated() {
            tokens.pointer[rowCount + index] = token
            positions.pointer[rowCount + index] = Int32(firstPosition + index)
        }
        rowCount += newTokens.count
        guard wantsLogits else { return nil }
        logitSources.append(rowCount - 1)
        return logitSources.count - 1
    }

    public func forward(_ weights: PolicyWeights) {
        let shape = configuration
        let rows = rowCount
        guard rows > 0 else { return }
        Embedding.gather(
            weights.embedding, tokens: tokens.pointer, rows: rows, width: shape.hiddenSize, into: hidden.pointer)
        for index in 0..<shape.layerCount {
            let layer = DecoderLayer(
                configuration: shape, weights: weights.layer(index), rotary: weights.rotary,
                blockOffset: index * pages.layerStride, headStride: pages.headStride, scratch: scratch.pointer)
            layer.project(activations, rows: rows, positions: positions.pointer)
            for span in spans {
                layer.store(span, activations)
                layer.attend(span, activations, rows: rows, workspace: workspace.pointer)
            }
            layer.finish(activations, rows: rows, output: hidden.pointer)
        }
        projectLogits(weights)
    }

    private func projectLogits(_ weights: PolicyWeights) {
        let width = configuration.hiddenSize
        for (index, row) in logitSources.enumerated() {
            (selected.pointer + index * width).update(from: hidden.pointer + row * width, count: width)
        }
        let count = logitSources.count
        // The norm's input rows are not needed again, so its output replaces the first norm's scratch rows.
        Normalization.forward(
            input: selected.pointer, weight: weights.finalNorm, rows: count, width: width,
            epsilon: configuration.normalizationEpsilon, output: activations.attentionNormed,
            reciprocal: activations.attentionReciprocal)
        weights.head.multiply(
            activations.attentionNormed, rows: count, into: logitRows.pointer, scratch: scratch.pointer)
    }

    /// The logits, [vocabulary], of a row that asked for them; valid until the next step.
    public func logits(_ index: Int) -> UnsafePointer<Float> {
        UnsafePointer(logitRows.pointer + index * configuration.vocabularySize)
    }
}
