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
    let activations: LayerActivations
    /// Of the last layer: what attention makes and all that follows stand there for the rows alone whose logits are wanted, one
    /// after the other.
    let finalActivations: LayerActivations
    /// One for each member of a team.
    let workspaces: AlignedBuffer<Float>
    let workspaceCount: Int
    let arranged: AlignedBuffer<BFloat16Pair>
    /// [rows of logits][hidden]: the last layer's result.
    let selected: AlignedBuffer<Float>
    let logitRows: AlignedBuffer<Float>
    let shape: LayerShape
    /// Spans in chunks, single rows whose logits are not wanted among them; and those whose logits are, which stand in families.
    let chunkSpans: AlignedBuffer<RowSpan>
    let singleSpans: AlignedBuffer<RowSpan>
    let families: RowFamilies
    let attendedPages: AttendedPages
    private(set) var step = StepCounts()

    /// How much of the buffers the step at hand takes. Read once a pass, so that its stages look at plain values alone.
    struct StepCounts {
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
        selected = AlignedBuffer(count: logitCapacity * configuration.hiddenSize)
        var finalActivations = activations
        finalActivations.input = selected.pointer
        finalActivations.middle = selected.pointer
        self.finalActivations = finalActivations
        workspaceCount = Self.workspaceCount(configuration)
        workspaces = AlignedBuffer(count: places * workspaceCount)
        arranged = AlignedBuffer(count: configuration.forwardScratch(rows: max(rowCapacity, logitCapacity)))
        shape = LayerShape(configuration)
        chunkSpans = AlignedBuffer(count: rowCapacity)
        singleSpans = AlignedBuffer(count: rowCapacity)
        // Half of the rows whose logits are wanted may be prompts' last ones.
        families = RowFamilies(configuration, capacity: rowCapacity, decodeRows: logitCapacity / 2, places: places)
        attendedPages = AttendedPages(capacity: pageCapacity)
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

    /// Spans in chunks, single rows whose logits are not wanted among them; valid until the next step.
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
            let hasLogits = wantsLogits && first + rows == count
            let span = RowSpan(
                firstRow: step.rows + first, count: rows, firstPosition: position, blocks: table.blocks,
                logitRow: hasLogits ? step.logits : nil)
            if count == 1 && hasLogits {
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
        step.logits += 1
        return step.logits - 1
    }

    /// The logits, [vocabulary], of a row that asked for them; valid until the next step.
    public func logits(_ index: Int) -> UnsafePointer<Float> {
        UnsafePointer(logitRows.pointer + index * configuration.vocabularySize)
    }
}
