import Kernels
import Memory
import Pipelines

/// Forward passes without gradients over rows of many sequences at once: decode steps and prefill chunks alike.
///
/// A step is `begin()`, one `append` a sequence, `forward`, then `logits(_:)`. Threads of a team may run `forward` together;
/// all else is for one thread at a time. Nothing is allocated after the first steps.
public final class DecoderInference {
    public let configuration: ModelConfiguration
    public let pages: KeyValuePages
    public let rowCapacity: Int
    public let logitCapacity: Int

    let tokens: AlignedBuffer<Int32>
    let positions: AlignedBuffer<Int32>
    let hidden: AlignedBuffer<Float>
    let buffers: AlignedBuffer<Float>
    private let activations: LayerActivations
    /// One for each member of a team.
    let workspaces: AlignedBuffer<Float>
    private let workspaceCount: Int
    let arranged: AlignedBuffer<BFloat16Pair>
    let selected: AlignedBuffer<Float>
    let logitRows: AlignedBuffer<Float>
    private let shape: LayerShape
    /// Spans of several rows, in chunks, and those of a single one, which stand in families.
    private let chunkSpans: AlignedBuffer<RowSpan>
    private let singleSpans: AlignedBuffer<RowSpan>
    private let families: RowFamilies
    private let attendedPages: AttendedPages
    /// The rows whose logits are wanted.
    private let logitSources: AlignedBuffer<Int>
    private var step = StepCounts()

    /// How much of the buffers the step at hand takes. Read once a pass, so that its stages look at plain values alone.
    private struct StepCounts {
        var rows = 0
        var chunks = 0
        var singles = 0
        var families = 0
        var pages = 0
        var logits = 0
    }

    /// Rows of a prompt that one member stores and attends for at a time, at most: whole blocks.
    private static let chunkRows = 32

    /// - Parameters:
    ///   - rowCapacity: rows a step.
    ///   - logitCapacity: rows a step whose logits are wanted.
    ///   - pageCapacity: pages of 16 positions for all sequences together.
    ///   - places: members of a team that may run a step together.
    public init(
        configuration: ModelConfiguration, rowCapacity: Int, logitCapacity: Int, pageCapacity: Int, places: Int = 1
    ) {
        self.configuration = configuration
        self.rowCapacity = rowCapacity
        self.logitCapacity = logitCapacity
        pages = KeyValuePages(configuration: configuration, capacity: pageCapacity)
        tokens = AlignedBuffer(count: rowCapacity)
        positions = AlignedBuffer(count: rowCapacity)
        hidden = AlignedBuffer(count: rowCapacity * configuration.hiddenSize)
        let layout = ActivationLayout(configuration: configuration, rows: rowCapacity, purpose: .inference)
        buffers = AlignedBuffer(count: layout.count, pages: .large)
        activations = layout.activations(at: buffers.pointer, input: hidden.pointer)
        workspaceCount = Self.workspaceCount(configuration)
        workspaces = AlignedBuffer(count: places * workspaceCount)
        arranged = AlignedBuffer(count: configuration.forwardScratch(rows: max(rowCapacity, logitCapacity)))
        shape = LayerShape(configuration)
        chunkSpans = AlignedBuffer(count: rowCapacity)
        singleSpans = AlignedBuffer(count: rowCapacity)
        // Half of the rows whose logits are wanted may be prompts' last ones.
        families = RowFamilies(configuration, capacity: rowCapacity, decodeRows: logitCapacity / 2, places: places)
        attendedPages = AttendedPages(capacity: pageCapacity)
        logitSources = AlignedBuffer(count: logitCapacity)
        selected = AlignedBuffer(count: logitCapacity * configuration.hiddenSize)
        logitRows = AlignedBuffer(count: logitCapacity * configuration.vocabularySize, pages: .large)
    }

    /// Floats of one member's attention workspace, a whole number of cache lines.
    static func workspaceCount(_ configuration: ModelConfiguration) -> Int {
        let (width, positions) = (configuration.headDimension, configuration.maxPositions)
        var count = Attention.workspaceCount(headDimension: width, maximumPositions: positions)
        if RowFamilies.mostMembers(configuration) > 1 {
            let sharing = Attention.sharingWorkspaceCount(headDimension: width, maximumPositions: positions)
            count = max(count, sharing)
        }
        return (count + 15) / 16 * 16
    }

    public var rowCount: Int { step.rows }

    /// Spans of several rows, in chunks; valid until the next step.
    var chunks: UnsafeBufferPointer<RowSpan> {
        UnsafeBufferPointer(start: chunkSpans.pointer, count: step.chunks)
    }

    public func begin() {
        step = StepCounts()
        families.begin()
        attendedPages.begin()
    }

    /// Adds rows of one sequence, whose table has room for them.
    ///
    /// - Returns: the index for `logits(_:)` of the last row, if `wantsLogits`.
    @discardableResult
    public func append(
        tokens newTokens: UnsafeBufferPointer<Int32>, firstPosition: Int, table: borrowing PageTable, wantsLogits: Bool
    ) -> Int? {
        let count = newTokens.count
        precondition(step.rows + count <= rowCapacity, "a step has room for \(rowCapacity) rows")
        precondition(!wantsLogits || count > 0 && step.logits < logitCapacity, "no room for another row of logits")
        var first = 0
        while first < count {
            let position = firstPosition + first
            // Up to a multiple: neighbours in one block share words of memory, which two threads must not write at once.
            let rows = min(Self.chunkRows - position % Self.chunkRows, count - first)
            let span = RowSpan(
                firstRow: step.rows + first, count: rows, firstPosition: position, blocks: table.blocks)
            if count == 1 {
                attendedPages.append(span, after: step.singles > 0 ? singleSpans.pointer[step.singles - 1] : nil)
                step.pages = attendedPages.count
                singleSpans.pointer[step.singles] = span
                step.singles += 1
                step.families = families.append(span)
            } else {
                chunkSpans.pointer[step.chunks] = span
                step.chunks += 1
            }
            first += rows
        }
        for (index, token) in newTokens.enumerated() {
            tokens.pointer[step.rows + index] = token
            positions.pointer[step.rows + index] = Int32(firstPosition + index)
        }
        step.rows += count
        guard wantsLogits else { return nil }
        logitSources.pointer[step.logits] = step.rows - 1
        step.logits += 1
        return step.logits - 1
    }

    /// The pass over the step's rows, alone.
    public func forward(_ weights: PolicyWeights) {
        var member = TeamMember()
        forward(weights, &member)
    }

    /// The pass over the step's rows, by all members of a team with this very call.
    public func forward(_ weights: PolicyWeights, _ member: inout TeamMember) {
        let step = step
        guard step.rows > 0 else { return }
        let width = shape.hiddenSize
        let embedding = weights.embedding
        member.perform(over: step.rows, atLeast: 4, atMost: 16) { part in
            Embedding.gather(
                embedding, tokens: tokens.pointer + part.lowerBound, rows: part.count, width: width,
                into: hidden.pointer + part.lowerBound * width)
        }
        for index in 0..<configuration.layerCount {
            let layer = DecoderLayer(
                shape: shape, weights: weights.layer(index), cosine: weights.rotary.cosine, sine: weights.rotary.sine,
                blockOffset: index * pages.layerStride, headStride: pages.headStride, activations: activations,
                rows: step.rows, positions: positions.pointer, arranged: arranged.pointer)
            run(layer, index, following: weights.following(index), step, &member)
        }
        projectLogits(weights, step, &member)
    }

    private func run(
        _ layer: DecoderLayer, _ index: Int, following: PackedMatrix, _ step: StepCounts, _ member: inout TeamMember
    ) {
        let rows = step.rows
        let matrices = layer.weights
        let pages = comingPages(index, matrices, step)
        // Of the first layer in the next step, where this is the last.
        let laterPages = comingPages((index + 1) % configuration.layerCount, matrices, step)
        let afterOutput = matrices.output.panelCount
        let afterGateUp = afterOutput + matrices.gateUp.panelCount
        let afterDown = afterGateUp + matrices.down.panelCount
        member.perform(over: rows, atLeast: 4, atMost: 16) { layer.normalizeInput($0) }
        member.perform(over: matrices.queryKeyValue, rows: rows, then: matrices.output, pages, after: afterDown) {
            layer.projectQueryKeyValue($0, rows: 0..<rows, coming: $1)
        }
        attend(layer, step, &member)
        member.perform(over: matrices.output, rows: rows, then: matrices.gateUp, laterPages, after: 0) {
            layer.projectOutput($0, rows: 0..<rows, coming: $1)
        }
        member.perform(over: rows, atLeast: 4, atMost: 16) { layer.normalizeMiddle($0) }
        member.perform(over: matrices.gateUp, rows: rows, then: matrices.down, laterPages, after: afterOutput) {
            layer.projectGateUp($0, rows: 0..<rows, coming: $1)
        }
        member.perform(over: rows, atLeast: 2, atMost: 16) { layer.activate($0, output: hidden.pointer) }
        member.perform(over: matrices.down, rows: rows, then: following, laterPages, after: afterGateUp) {
            layer.projectDown($0, rows: 0..<rows, coming: $1, output: hidden.pointer)
        }
    }

    private func comingPages(_ layer: Int, _ weights: LayerWeights, _ step: StepCounts) -> ComingPages {
        ComingPages(
            attendedPages.pointer, count: step.pages, offset: layer * pages.layerStride, length: pages.layerStride,
            weights: weights)
    }

    /// From the rotation to the end of attention.
    private func attend(_ layer: DecoderLayer, _ step: StepCounts, _ member: inout TeamMember) {
        let workspace = workspaces.pointer + member.index * workspaceCount
        let chunks = chunkSpans.pointer
        // Rows of a prompt see one another's keys, so all are stored before any attends.
        member.perform(over: step.chunks) { part in
            for index in part {
                layer.rotate(chunks[index].rows)
                layer.store(chunks[index])
            }
        }
        member.perform(over: step.families + step.chunks) { part in
            for index in part {
                if index < step.families {
                    attend(layer, families.pointer[index], step, workspace)
                } else {
                    // Of a prompt, the last ones attend to most.
                    let chunk = chunks[step.families + step.chunks - 1 - index]
                    layer.attend(chunk, next: nil, workspace: workspace)
                    layer.finishAttention(chunk.rows)
                }
            }
        }
    }

    /// All that a family's rows have to do between two products.
    private func attend(
        _ layer: DecoderLayer, _ family: RowFamily, _ step: StepCounts, _ workspace: UnsafeMutablePointer<Float>
    ) {
        let singles = singleSpans.pointer
        for index in family.singles {
            layer.rotate(singles[index].rows)
            layer.store(singles[index])
        }
        if family.count > 1 {
            layer.attend(
                family, rows: singles[family.first].firstRow, positions: families.positions, tables: families.tables,
                workspace: workspace)
        } else {
            let next = family.first + 1 < step.singles ? singles[family.first + 1] : nil
            layer.attend(singles[family.first], next: next, workspace: workspace)
        }
        for index in family.singles { layer.finishAttention(singles[index].rows) }
    }

    private func projectLogits(_ weights: PolicyWeights, _ step: StepCounts, _ member: inout TeamMember) {
        let width = shape.hiddenSize
        let count = step.logits
        // The norm's input rows are not needed again, so its output replaces the first norm's rows.
        let normed = activations.attentionNormed
        let head = weights.head
        member.perform(over: count, atLeast: 4, atMost: 16) { part in
            for index in part {
                (selected.pointer + index * width)
                    .update(from: hidden.pointer + logitSources.pointer[index] * width, count: width)
            }
            Normalization.forwardMarkingOverflow(
                input: selected.pointer + part.lowerBound * width, weight: weights.finalNorm, rows: part.count,
                width: width, epsilon: shape.normalizationEpsilon, output: normed + part.lowerBound * width,
                reciprocal: activations.attentionReciprocal + part.lowerBound)
            head.arrange(part, of: normed, into: arranged.pointer)
        }
        guard count > 0 else { return }
        member.perform(over: head, rows: count, then: nil, nil, after: 0) { panels, coming in
            head.multiply(
                panels: panels, of: normed, arranged: arranged.pointer, rows: 0..<count, into: logitRows.pointer,
                coming: coming)
        }
    }

    /// The logits, [vocabulary], of a row that asked for them; valid until the next step.
    public func logits(_ index: Int) -> UnsafePointer<Float> {
        UnsafePointer(logitRows.pointer + index * configuration.vocabularySize)
    }
}

extension TeamMember {
    /// One stage over a product's panels, with what the member reads next: its next part of this matrix, or its first one of
    /// `next`, if all members go on evenly, and a share of the `pages` that panels of other products, `earlier` ones, have
    /// begun to bring near.
    fileprivate mutating func perform(
        over matrix: PackedMatrix, rows: Int, then next: PackedMatrix?, _ pages: ComingPages?, after earlier: Int,
        _ body: (Range<Int>, ComingReads) -> Void
    ) {
        let places = places
        let parts = PanelParts(panels: matrix.panelCount, places: places, rows: rows)
        perform(parts.count) { index in
            let following: UnsafePointer<Float>? =
                if index + places < parts.count {
                    matrix.panel(parts[index + places].lowerBound)
                } else {
                    next.flatMap { Self.firstPanel(of: $0, rows: rows, index % places, of: places) }
                }
            let part = parts[index]
            body(part, ComingReads(panels: following, pieces: pages?.share(of: part, after: earlier)))
        }
    }

    /// What a member begins a product with, if that has about as many rows.
    private static func firstPanel(
        of matrix: PackedMatrix, rows: Int, _ member: Int, of places: Int
    ) -> UnsafePointer<Float>? {
        let parts = PanelParts(panels: matrix.panelCount, places: places, rows: rows)
        return member < parts.count ? matrix.panel(parts[member].lowerBound) : nil
    }
}
