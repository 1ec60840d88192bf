import Kernels
import TestSupport
import Testing

/// Sequences that begin with the same blocks, each with queries at its last position.
struct SharingCase {
    let kernels: KernelSet
    let compact: Bool
    let headDimension: Int
    let sharedBlocks: Int
    let queriesPerMember: Int
    let positions: [Int]
    private let query: [Float]
    private let pages: [Float]
    /// For each member the page of every block.
    private let tables: [[Int]]
    private let pageCount: Int

    private static let blockOffset = 3
    private static let queryGap = 7
    private var queryStride: Int { queriesPerMember * headDimension + Self.queryGap }
    private var outputStride: Int { queriesPerMember * headDimension + 3 }

    init(
        _ kernels: KernelSet, compact: Bool, headDimension: Int, sharedBlocks: Int, queriesPerMember: Int,
        ownPositions: [Int], seed: UInt64
    ) {
        self.kernels = kernels
        self.compact = compact
        self.headDimension = headDimension
        self.sharedBlocks = sharedBlocks
        self.queriesPerMember = queriesPerMember
        positions = ownPositions.map { sharedBlocks * 16 + $0 }
        let pageCount = Self.blockOffset + Attention.blockCount(headDimension: headDimension, compact: compact)
        self.pageCount = pageCount
        var next = sharedBlocks
        tables = positions.map { position in
            let own = position / 16 + 1 - sharedBlocks
            defer { next += own }
            return Array(0..<sharedBlocks) + (next..<next + own)
        }
        var random = SeededGenerator(seed: seed)
        query = random.floats(
            positions.count * (queriesPerMember * headDimension + Self.queryGap), in: -2...2)
        // What no query may see stays not a number.
        var pages = [Float](repeating: .nan, count: next * pageCount)
        for (table, position) in zip(tables, positions) {
            for slot in 0...position {
                let page = table[slot / 16]
                let key = random.floats(headDimension, in: -2...2)
                let value = random.floats(headDimension, in: -2...2)
                pages.withUnsafeMutableBufferPointer { pages in
                    guard let base = pages.baseAddress else { return }
                    kernels.attentionStore(
                        key, value, headDimension, slot % 16, compact, base + page * pageCount + Self.blockOffset)
                }
            }
        }
        self.pages = pages
    }

    /// What the kernel makes of the first `members` together, and of each alone.
    func outputs(members: Int) -> (together: [Float], alone: [Float]) {
        var pages = pages
        return pages.withUnsafeMutableBufferPointer { pages in
            guard let base = pages.baseAddress else { return ([], []) }
            let blocks = tables.map { $0.map { base + $0 * pageCount } }
            let longest = (positions.max() ?? 0) + 1
            let together = run(
                workspaceCount: kernels.attentionSharingWorkspaceCount(
                    headDimension, longest, members * queriesPerMember)
            ) { output, workspace in
                withTables(blocks) { tables in
                    kernels.attentionForwardSharing(
                        query, queryStride, members, queriesPerMember, positions, tables, sharedBlocks,
                        headDimension, 0.3, Self.blockOffset, compact, output, outputStride, workspace)
                }
            }
            let alone = run(workspaceCount: kernels.attentionWorkspaceCount(headDimension, longest)) {
                output, workspace in
                for member in 0..<members {
                    query.withUnsafeBufferPointer { query in
                        guard let query = query.baseAddress else { return }
                        kernels.attentionForward(
                            query + member * queryStride, headDimension, queriesPerMember, positions[member], 0,
                            headDimension, 0.3, blocks[member], Self.blockOffset, compact,
                            output + member * outputStride, headDimension, nil, 1, nil, 0, 0, workspace)
                    }
                }
            }
            return (together, alone)
        }
    }

    private func withTables(
        _ blocks: [[UnsafeMutablePointer<Float>]],
        _ body: (UnsafePointer<UnsafePointer<UnsafeMutablePointer<Float>>>) -> Void
    ) {
        let flat = blocks.flatMap { $0 }
        flat.withUnsafeBufferPointer { flat in
            guard let base = flat.baseAddress else { return }
            var first = 0
            let tables = blocks.map { table in
                defer { first += table.count }
                return base + first
            }
            body(tables)
        }
    }

    /// The output, with what must stay untouched in its gaps. Nothing behind it or the workspace can be touched.
    private func run(
        workspaceCount: Int, _ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) -> [Float] {
        let output = GuardedFloats([Float](repeating: -7, count: positions.count * outputStride))
        let workspace = GuardedFloats([Float](repeating: .nan, count: workspaceCount))
        body(output.pointer, workspace.pointer)
        return (0..<output.count).map { output.pointer[$0] }
    }
}

@Suite struct AttentionSharingTests {
    /// Queries that pass over shared blocks together get the bits that they get alone.
    @Test(arguments: KernelSet.supported, [false, true])
    func membersDoNotDependOnOneAnother(kernels: KernelSet, compact: Bool) {
        var random = SeededGenerator(seed: 31)
        for (headDimension, queriesPerMember) in [
            (64, 2), (64, 1), (32, 3), (16, 2), (20, 1), (8, 2), (128, 2), (64, 7),
        ] {
            for sharedBlocks in [1, 2, 5, 9] {
                let most = max(2, Attention.sharingQueries / queriesPerMember)
                let own = (0..<most).map { _ in Int.random(in: 0...70, using: &random) }
                let sharing = SharingCase(
                    kernels, compact: compact, headDimension: headDimension, sharedBlocks: sharedBlocks,
                    queriesPerMember: queriesPerMember, ownPositions: own, seed: random.next())
                for members in 1...most {
                    let (together, alone) = sharing.outputs(members: members)
                    #expect(
                        together.map(\.bitPattern) == alone.map(\.bitPattern),
                        "\(members) members of \(queriesPerMember), \(headDimension) wide, \(sharedBlocks) blocks")
                    #expect(together.allSatisfy { $0.isFinite })
                }
            }
        }
    }
}
