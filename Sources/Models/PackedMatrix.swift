import Kernels

/// A weight matrix W [outputs, depth] in panels, in the numbers that `precision` says.
///
/// A view: whoever has it keeps the owner of the panels alive and unwritten meanwhile.
package struct PackedMatrix: BitwiseCopyable {
    /// Floats, or pairs of bfloat16 carried as such.
    let panels: UnsafePointer<Float>
    let outputs: Int
    let depth: Int
    let precision: Precision

    package init(panels: UnsafePointer<Float>, outputs: Int, depth: Int, precision: Precision) {
        self.panels = panels
        self.outputs = outputs
        self.depth = depth
        self.precision = precision
    }

    /// Lanes of 32 bits that the panels take.
    package static func laneCount(outputs: Int, depth: Int, precision: Precision) -> Int {
        switch precision {
        case .float32: MatrixProduct.packedCount(outputs: outputs, depth: depth)
        case .bfloat16: BFloat16Product.packedCount(outputs: outputs, depth: depth)
        }
    }

    /// Pairs of workspace that `pack` needs.
    package static func packWorkspace(depth: Int, precision: Precision) -> Int {
        switch precision {
        case .float32: 0
        case .bfloat16: BFloat16Product.packWorkspace(depth: depth)
        }
    }

    /// Packs `weight` [outputs, depth], row-major, into `laneCount` lanes.
    package static func pack(
        _ weight: UnsafePointer<Float>, outputs: Int, depth: Int, precision: Precision,
        into panels: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<BFloat16Pair>
    ) {
        switch precision {
        case .float32:
            MatrixProduct.pack(weight: weight, outputs: outputs, depth: depth, into: panels)
        case .bfloat16:
            BFloat16Product.pack(
                weight: weight, outputs: outputs, depth: depth,
                into: UnsafeMutableRawPointer(panels).assumingMemoryBound(to: BFloat16Pair.self),
                workspace: workspace)
        }
    }

    /// Packs the transpose of `weight` [depth, outputs], row-major, into `laneCount` lanes: for dX = dY W, whose outputs are
    /// the weight's inputs.
    package static func packTransposed(
        _ weight: UnsafePointer<Float>, outputs: Int, depth: Int, precision: Precision,
        into panels: UnsafeMutablePointer<Float>
    ) {
        switch precision {
        case .float32:
            MatrixProduct.packTransposed(weight: weight, outputs: depth, depth: outputs, into: panels)
        case .bfloat16:
            BFloat16Product.packTransposed(
                weight: weight, outputs: depth, depth: outputs,
                into: UnsafeMutableRawPointer(panels).assumingMemoryBound(to: BFloat16Pair.self))
        }
    }

    /// Lanes of scratch that `multiply` needs for so many rows, or for fewer.
    package static func scratchCount(rows: Int, depth: Int, precision: Precision) -> Int {
        arrangedCount(
            rows: min(rows, largestBlock(depth: depth, precision: precision)), depth: depth, precision: precision)
    }

    /// y [rows, outputs] = x [rows, depth] Wᵀ, or += where `accumulating`; rows stand without gaps.
    ///
    /// - Parameter scratch: `scratchCount(rows:depth:precision:)` lanes, of any content.
    package func multiply(
        _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>, accumulating: Bool = false,
        scratch: UnsafeMutablePointer<BFloat16Pair>
    ) {
        let block = Self.blockRows(of: rows, depth: depth, precision: precision)
        for first in stride(from: 0, to: rows, by: block) {
            let count = min(block, rows - first)
            let (x, y) = (x + first * depth, y + first * outputs)
            let coming = ComingReads(panels: first + block < rows ? panels : nil)
            switch precision {
            case .float32:
                arrange(0..<count, of: x, into: scratch)
                multiply(
                    panels: allPanels, of: x, arranged: scratch, rows: 0..<count, into: y, accumulating: accumulating,
                    coming: coming)
            case .bfloat16:
                BFloat16Product.multiply(
                    rounding: x, rows: count, rowStride: depth, to: scratch,
                    roundedStride: Self.rowStride(depth: depth, precision: precision), packed: Self.pairs(panels),
                    outputs: outputs, depth: depth, into: y, resultStride: outputs, accumulating: accumulating,
                    coming: coming)
            }
        }
    }

    /// Rows of the product alone.
    func multiply(
        _ part: Range<Int>, of x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<BFloat16Pair>
    ) {
        multiply(
            x + part.lowerBound * depth, rows: part.count, into: y + part.lowerBound * outputs, scratch: scratch)
    }

    /// Lanes that `arrange` writes for so many rows.
    static func arrangedCount(rows: Int, depth: Int, precision: Precision) -> Int {
        let stride = rowStride(depth: depth, precision: precision)
        return precision == .bfloat16 || stride > depth ? rows * stride : 0
    }

    /// Lanes of 32 bits that a row takes as products read it, without a gap.
    private static func rowLanes(depth: Int, precision: Precision) -> Int {
        precision == .float32 ? depth : BFloat16Product.roundedCount(depth)
    }

    /// Lanes from one row to the next as products read them. Rows that stood a multiple of 4 KiB apart would all want the same
    /// few lines of the first-level cache.
    private static func rowStride(depth: Int, precision: Precision) -> Int {
        let lanes = rowLanes(depth: depth, precision: precision)
        return lanes % 1024 == 0 ? lanes + 16 : lanes
    }

    /// Lanes from one arranged row to the next; none where rows are read where they stand.
    var arrangedStride: Int { Self.arrangedCount(rows: 1, depth: depth, precision: precision) }

    /// Lays rows of x [rows, depth] out as `multiply(panels:)` reads them: rounded, or in single precision moved apart where they
    /// stand badly, and else left alone.
    func arrange(_ rows: Range<Int>, of x: UnsafePointer<Float>, into arranged: UnsafeMutablePointer<BFloat16Pair>) {
        let stride = Self.rowStride(depth: depth, precision: precision)
        switch precision {
        case .float32:
            guard stride > depth else { return }
            for row in rows {
                UnsafeMutableRawPointer(arranged + row * stride).bindMemory(to: Float.self, capacity: depth)
                    .update(from: x + row * depth, count: depth)
            }
        case .bfloat16:
            let first = rows.lowerBound
            BFloat16Product.round(
                x + first * depth, rows: rows.count, rowStride: depth, width: depth, into: arranged + first * stride,
                roundedStride: stride)
        }
    }

    /// Lanes that hold floats.
    private static func floats(_ lanes: UnsafePointer<BFloat16Pair>, _ count: Int) -> UnsafePointer<Float> {
        UnsafeRawPointer(lanes).bindMemory(to: Float.self, capacity: count)
    }

    /// Lanes that hold pairs.
    private static func pairs(_ lanes: UnsafePointer<Float>) -> UnsafePointer<BFloat16Pair> {
        UnsafeRawPointer(lanes).assumingMemoryBound(to: BFloat16Pair.self)
    }

    /// Panels of 32 columns.
    var panelCount: Int { (outputs + MatrixProduct.panelWidth - 1) / MatrixProduct.panelWidth }
    var allPanels: Range<Int> { 0..<panelCount }

    /// The columns in `range`, in panels, and the `rows` of y [_, outputs] = x [_, depth] Wᵀ, or += where `accumulating`: part of
    /// what the whole product gives, with the same bits.
    ///
    /// - Parameters:
    ///   - arranged: these rows of x, by `arrange`, where they stand among all.
    ///   - coming: what is read after these: brought near meanwhile.
    func multiply(
        panels range: Range<Int>, of x: UnsafePointer<Float>, arranged: UnsafePointer<BFloat16Pair>, rows: Range<Int>,
        into y: UnsafeMutablePointer<Float>, accumulating: Bool = false, coming: ComingReads
    ) {
        let column = range.lowerBound * MatrixProduct.panelWidth
        let columns = min(outputs, range.upperBound * MatrixProduct.panelWidth) - column
        let rowStride = Self.rowStride(depth: depth, precision: precision)
        let packed = panel(range.lowerBound)
        let block = Self.blockRows(of: rows.count, depth: depth, precision: precision)
        for first in stride(from: rows.lowerBound, to: rows.upperBound, by: block) {
            let count = min(block, rows.upperBound - first)
            let result = y + first * outputs + column
            var following = coming
            if first > rows.lowerBound { following.pieces = nil }
            if first + count < rows.upperBound { following.panels = packed }
            switch precision {
            case .float32:
                let isMoved = rowStride > depth
                MatrixProduct.multiply(
                    isMoved
                        ? Self.floats(arranged + first * rowStride, count * rowStride) : x + first * depth,
                    rows: count, rowStride: rowStride, packed: packed, outputs: columns, depth: depth, into: result,
                    resultStride: outputs, accumulating: accumulating, coming: following)
            case .bfloat16:
                BFloat16Product.multiply(
                    arranged + first * rowStride, rows: count, packed: Self.pairs(packed), outputs: columns,
                    depth: depth,
                    into: result, resultStride: outputs, accumulating: accumulating, rowStride: rowStride,
                    coming: following)
            }
        }
    }

    /// Where a panel starts.
    func panel(_ index: Int) -> UnsafePointer<Float> {
        panels + index * Self.laneCount(outputs: MatrixProduct.panelWidth, depth: depth, precision: precision)
    }

    /// Rows of the largest tile of any product.
    static let tileRows = 12

    /// The most rows that are multiplied at a time: few enough for what is read again and again to stay in the second-level
    /// cache, enough to amortise the passage over the panels. A multiple of the largest tile's.
    private static func largestBlock(depth: Int, precision: Precision) -> Int {
        // What a passage over the panels reads again and again: of bfloat16 a block of the rows' depth, of floats, where these are
        // arranged first, at most all of it.
        let lanes = arrangedCount(rows: 1, depth: depth, precision: precision)
        let read = precision == .bfloat16 ? min(lanes, BFloat16Product.roundedBlock) : lanes
        return max(tileRows, min(264, 128 * 1024 / max(1, read) / tileRows * tileRows))
    }

    /// Rows of so many that are multiplied at a time, about as many each time: a multiple of the largest tile's.
    private static func blockRows(of rows: Int, depth: Int, precision: Precision) -> Int {
        let largest = largestBlock(depth: depth, precision: precision)
        let blocks = max(1, (rows + largest - 1) / largest)
        return max(tileRows, ((rows + blocks - 1) / blocks + tileRows - 1) / tileRows * tileRows)
    }
}

extension ModelConfiguration {
    /// Lanes for the arranged rows of any product of a forward pass.
    func forwardScratch(rows: Int) -> Int {
        [hiddenSize, queryWidth, intermediateSize].map {
            PackedMatrix.arrangedCount(rows: rows, depth: $0, precision: precision)
        }.max() ?? 0
    }
}

/// Where a matrix stands in a buffer of panels.
struct PackedMatrixPlace {
    let offset: Int
    let outputs: Int
    let depth: Int

    func matrix(in panels: UnsafePointer<Float>, _ precision: Precision) -> PackedMatrix {
        PackedMatrix(panels: panels + offset, outputs: outputs, depth: depth, precision: precision)
    }
}

/// Lays matrices out one behind another.
struct PackedMatrixLayout {
    let precision: Precision
    private(set) var laneCount = 0
    private(set) var deepest = 0

    init(_ precision: Precision) {
        self.precision = precision
    }

    mutating func place(outputs: Int, depth: Int) -> PackedMatrixPlace {
        defer {
            laneCount += PackedMatrix.laneCount(outputs: outputs, depth: depth, precision: precision)
            deepest = max(deepest, depth)
        }
        return PackedMatrixPlace(offset: laneCount, outputs: outputs, depth: depth)
    }
}
