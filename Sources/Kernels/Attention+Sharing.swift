internal import KernelsBaseline

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
    internal import KernelsAVX512BF16
#endif

extension Attention {
    /// Queries of all members together that `forwardSharing` takes at most.
    public static let sharingQueries = 8

    /// Sequences that are best attended together, where so many queries of each pass over the same keys; 1 where one alone makes
    /// use of all registers.
    public static func sharingMembers(queriesPerMember: Int) -> Int {
        queriesPerMember < 4 ? sharingQueries / queriesPerMember : 1
    }

    /// The floats of workspace that `forwardSharing` needs where keys stand at positions `0 ..< maximumPositions`.
    public static func sharingWorkspaceCount(headDimension: Int, maximumPositions: Int) -> Int {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.attentionSharingWorkspaceCount(
                    headDimension: headDimension, maximumPositions: maximumPositions, queryCount: sharingQueries)
            case .avx512:
                KernelsAVX512.attentionSharingWorkspaceCount(
                    headDimension: headDimension, maximumPositions: maximumPositions, queryCount: sharingQueries)
            case .avx2:
                KernelsAVX2.attentionSharingWorkspaceCount(
                    headDimension: headDimension, maximumPositions: maximumPositions, queryCount: sharingQueries)
        #endif
        default:
            KernelsBaseline.attentionSharingWorkspaceCount(
                headDimension: headDimension, maximumPositions: maximumPositions, queryCount: sharingQueries)
        }
    }

    /// What `forward` does for the newest position of each of several sequences that begin with the same blocks, over which all
    /// their queries pass together; the results have the same bits.
    ///
    /// - Parameters:
    ///   - query: of each member `queriesPerMember` rows of `headDimension` side by side, those of the next `queryStride` on.
    ///   - members: no more than make up `sharingQueries`.
    ///   - positions: each member's.
    ///   - tables: each member's blocks.
    ///   - sharedBlocks: at least 1 and, with all their positions, before every member's own position's block.
    ///   - scale, blockOffset, compact: as for `forward`.
    ///   - output: as `query`, members `outputStride` apart.
    ///   - workspace: `sharingWorkspaceCount(headDimension:maximumPositions:)` floats, of any content.
    public static func forwardSharing(
        query: UnsafePointer<Float>, queryStride: Int, members: Int, queriesPerMember: Int,
        positions: UnsafePointer<Int>, tables: UnsafePointer<UnsafePointer<UnsafeMutablePointer<Float>>>,
        sharedBlocks: Int, headDimension: Int, scale: Float, blockOffset: Int, compact: Bool,
        output: UnsafeMutablePointer<Float>, outputStride: Int, workspace: UnsafeMutablePointer<Float>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.attentionForwardSharing(
                    query: query, queryStride: queryStride, members: members, queriesPerMember: queriesPerMember,
                    positions: positions, tables: tables, sharedBlocks: sharedBlocks, headDimension: headDimension,
                    scale: scale, blockOffset: blockOffset, compact: compact, output: output,
                    outputStride: outputStride, workspace: workspace)
            case .avx512:
                KernelsAVX512.attentionForwardSharing(
                    query: query, queryStride: queryStride, members: members, queriesPerMember: queriesPerMember,
                    positions: positions, tables: tables, sharedBlocks: sharedBlocks, headDimension: headDimension,
                    scale: scale, blockOffset: blockOffset, compact: compact, output: output,
                    outputStride: outputStride, workspace: workspace)
            case .avx2:
                KernelsAVX2.attentionForwardSharing(
                    query: query, queryStride: queryStride, members: members, queriesPerMember: queriesPerMember,
                    positions: positions, tables: tables, sharedBlocks: sharedBlocks, headDimension: headDimension,
                    scale: scale, blockOffset: blockOffset, compact: compact, output: output,
                    outputStride: outputStride, workspace: workspace)
        #endif
        default:
            KernelsBaseline.attentionForwardSharing(
                query: query, queryStride: queryStride, members: members, queriesPerMember: queriesPerMember,
                positions: positions, tables: tables, sharedBlocks: sharedBlocks, headDimension: headDimension,
                scale: scale, blockOffset: blockOffset, compact: compact, output: output, outputStride: outputStride,
                workspace: workspace)
        }
    }
}
