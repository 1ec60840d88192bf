internal import KernelsBaseline

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
    internal import KernelsAVX512BF16
#endif

/// Causal attention of one head over keys and values in blocks of 16 absolute positions.
///
/// A block, for one key-value head, is the keys transposed, [headDimension][16], and then the values,
/// [16][headDimension rounded up to 16]. Compact blocks hold bfloat16, rounded to nearest even, in pairs: of a key two
/// dimensions, [headDimension / 2][16], of values two positions, [8][headDimension rounded up to 16]; they ask for an even
/// head dimension. Over them queries and exp(score - largest score) are rounded to bfloat16 too, since products of pairs
/// take both so; scores, sums and outputs are in single precision either way.
///
/// Slots that no query may see can hold anything. The result for a query is bitwise the same whether it comes alone or
/// with others: a score is one chain over the head's dimensions, the sum of powers goes by key modulo 16, and an output is four
/// chains over the rows of values modulo 4.
public enum Attention {
    /// Positions of a block.
    public static let blockLength = 16

    /// The floats that one block takes: keys and padded values.
    public static func blockCount(headDimension: Int, compact: Bool) -> Int {
        let padded = (headDimension + blockLength - 1) / blockLength * blockLength
        return blockLength * (headDimension + padded) / (compact ? 2 : 1)
    }

    /// Writes the key and value [headDimension] of one position into slot `slot` (0 ..< 16) of its block. Two slots of one compact
    /// block share words, so only one thread at a time may write to it.
    public static func store(
        key: UnsafePointer<Float>, value: UnsafePointer<Float>, headDimension: Int, slot: Int,
        compact: Bool, block: UnsafeMutablePointer<Float>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.attentionStore(
                    key: key, value: value, headDimension: headDimension, slot: slot, compact: compact,
                    block: block)
            case .avx512:
                KernelsAVX512.attentionStore(
                    key: key, value: value, headDimension: headDimension, slot: slot, compact: compact,
                    block: block)
            case .avx2:
                KernelsAVX2.attentionStore(
                    key: key, value: value, headDimension: headDimension, slot: slot, compact: compact,
                    block: block)
        #endif
        default:
            KernelsBaseline.attentionStore(
                key: key, value: value, headDimension: headDimension, slot: slot, compact: compact,
                block: block
            )
        }
    }

    /// The floats of workspace that `forward` needs where keys stand at positions `0 ..< maximumPositions`.
    public static func workspaceCount(headDimension: Int, maximumPositions: Int) -> Int {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.attentionWorkspaceCount(
                    headDimension: headDimension, maximumPositions: maximumPositions)
            case .avx512:
                KernelsAVX512.attentionWorkspaceCount(
                    headDimension: headDimension, maximumPositions: maximumPositions)
            case .avx2:
                KernelsAVX2.attentionWorkspaceCount(
                    headDimension: headDimension, maximumPositions: maximumPositions)
        #endif
        default:
            KernelsBaseline.attentionWorkspaceCount(
                headDimension: headDimension, maximumPositions: maximumPositions)
        }
    }

    /// Where the queries of one call stand in their sequence.
    public enum QueryPositions: Int, Sendable {
        /// All at one position: heads that share their keys and values.
        case same = 0
        /// One after another: rows of a prompt.
        case consecutive = 1
    }

    /// The blocks of keys and values that a later call reads, as `forward` takes them.
    public struct NextBlocks {
        public var blocks: UnsafePointer<UnsafeMutablePointer<Float>>
        /// How many of them it reads, at least 1.
        public var blockCount: Int
        public var blockOffset: Int

        public init(blocks: UnsafePointer<UnsafeMutablePointer<Float>>, blockCount: Int, blockOffset: Int) {
            self.blocks = blocks
            self.blockCount = blockCount
            self.blockOffset = blockOffset
        }
    }

    /// output = softmax(scale · q kᵀ) v of `queryCount` queries: the first, and all where their positions are the `same`,
    /// at `firstPosition`, over the keys up to the query's own position, which must have been stored.
    ///
    /// - Parameters:
    ///   - query: `queryCount` rows of `headDimension`.
    ///   - blocks: for every 16 positions the base of its page.
    ///   - blockOffset: floats from a page's base to the block of this layer and key-value head.
    ///   - compact: how keys and values were stored.
    ///   - output: `queryCount` rows of `headDimension`; must not overlap `query`.
    ///   - logSumExp: takes log Σ exp(scale · q k), which `backward` needs, of query i at i * `logSumExpStride`. Over
    ///     compact blocks outputs are divided by the sum of the rounded powers, so that weights add up to 1, but this is of
    ///     what they were before.
    ///   - next: brought near meanwhile; it changes no result.
    ///   - workspace: `workspaceCount(headDimension:maximumPositions:)` floats or more, of any content.
    public static func forward(
        query: UnsafePointer<Float>, queryStride: Int, queryCount: Int, firstPosition: Int,
        positions: QueryPositions, headDimension: Int, scale: Float,
        blocks: UnsafePointer<UnsafeMutablePointer<Float>>, blockOffset: Int, compact: Bool,
        output: UnsafeMutablePointer<Float>, outputStride: Int, logSumExp: UnsafeMutablePointer<Float>?,
        logSumExpStride: Int = 1, next: NextBlocks? = nil, workspace: UnsafeMutablePointer<Float>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.attentionForward(
                    query: query, queryStride: queryStride, queryCount: queryCount, firstPosition: firstPosition,
                    positionStep: positions.rawValue, headDimension: headDimension, scale: scale, blocks: blocks,
                    blockOffset: blockOffset, compact: compact, output: output, outputStride: outputStride,
                    logSumExp: logSumExp, logSumExpStride: logSumExpStride, nextBlocks: next?.blocks,
                    nextBlockCount: next?.blockCount ?? 0, nextBlockOffset: next?.blockOffset ?? 0, workspace: workspace
                )
            case .avx512:
                KernelsAVX512.attentionForward(
                    query: query, queryStride: queryStride, queryCount: queryCount, firstPosition: firstPosition,
                    positionStep: positions.rawValue, headDimension: headDimension, scale: scale, blocks: blocks,
                    blockOffset: blockOffset, compact: compact, output: output, outputStride: outputStride,
                    logSumExp: logSumExp, logSumExpStride: logSumExpStride, nextBlocks: next?.blocks,
                    nextBlockCount: next?.blockCount ?? 0, nextBlockOffset: next?.blockOffset ?? 0, workspace: workspace
                )
            case .avx2:
                KernelsAVX2.attentionForward(
                    query: query, queryStride: queryStride, queryCount: queryCount, firstPosition: firstPosition,
                    positionStep: positions.rawValue, headDimension: headDimension, scale: scale, blocks: blocks,
                    blockOffset: blockOffset, compact: compact, output: output, outputStride: outputStride,
                    logSumExp: logSumExp, logSumExpStride: logSumExpStride, nextBlocks: next?.blocks,
                    nextBlockCount: next?.blockCount ?? 0, nextBlockOffset: next?.blockOffset ?? 0, workspace: workspace
                )
        #endif
        default:
            KernelsBaseline.attentionForward(
                query: query, queryStride: queryStride, queryCount: queryCount, firstPosition: firstPosition,
                positionStep: positions.rawValue, headDimension: headDimension, scale: scale, blocks: blocks,
                blockOffset: blockOffset, compact: compact, output: output, outputStride: outputStride,
                logSumExp: logSumExp, logSumExpStride: logSumExpStride, nextBlocks: next?.blocks,
                nextBlockCount: next?.blockCount ?? 0, nextBlockOffset: next?.blockOffset ?? 0, workspace: workspace)
        }
    }

    /// The floats of workspace that `backward` needs for `positions` keys, firstPosition + queryCount.
    public static func backwardWorkspaceCount(headDimension: Int, positions: Int) -> Int {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.attentionBackwardWorkspaceCount(headDimension: headDimension, positions: positions)
            case .avx512:
                KernelsAVX512.attentionBackwardWorkspaceCount(headDimension: headDimension, positions: positions)
            case .avx2:
                KernelsAVX2.attentionBackwardWorkspaceCount(headDimension: headDimension, positions: positions)
        #endif
        default:
            KernelsBaseline.attentionBackwardWorkspaceCount(headDimension: headDimension, positions: positions)
        }
    }

    /// The gradients of one head of one sequence: queries at positions firstPosition ..< firstPosition + queryCount,
    /// keys and values at 0 ..< firstPosition + queryCount (a completion that shares a prompt's keys has firstPosition
    /// > 0).
    ///
    /// Where forward went over `compact` blocks, queries, keys and values are rounded as it rounded them, since p is of its
    /// scores only then: a query's rounding shifts all its scores alike where keys have much in common.
    ///
    /// With p = exp(scale · q k - logSumExp) and s = scale · p (dO v - Σ p dO v): dQ = Σ s k, dK += Σ s q, dV += Σ p dO, in
    /// an order that depends on the counts alone.
    ///
    /// - Parameters:
    ///   - query, outputGradient: `queryCount` rows.
    ///   - key, value: firstPosition + queryCount rows each, `keyValueStride` apart.
    ///   - logSumExp: [queryCount], from `forward`.
    ///   - queryGradient: `queryCount` rows, overwritten.
    ///   - keyGradient, valueGradient: firstPosition + queryCount rows each, `keyValueGradientStride` apart,
    ///     accumulated into.
    ///   - workspace: `backwardWorkspaceCount(headDimension:positions:)` floats, of any content.
    public static func backward(
        query: UnsafePointer<Float>, queryStride: Int, queryCount: Int, firstPosition: Int, key: UnsafePointer<Float>,
        value: UnsafePointer<Float>, keyValueStride: Int, headDimension: Int, scale: Float,
        compact: Bool, outputGradient: UnsafePointer<Float>, outputStride: Int,
        logSumExp: UnsafePointer<Float>, queryGradient: UnsafeMutablePointer<Float>, queryGradientStride: Int,
        keyGradient: UnsafeMutablePointer<Float>, valueGradient: UnsafeMutablePointer<Float>,
        keyValueGradientStride: Int, workspace: UnsafeMutablePointer<Float>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.attentionBackward(
                    query: query, queryStride: queryStride, queryCount: queryCount, firstPosition: firstPosition,
                    key: key,
                    value: value, keyValueStride: keyValueStride, headDimension: headDimension, scale: scale,
                    compact: compact, outputGradient: outputGradient, outputStride: outputStride, logSumExp: logSumExp,
                    queryGradient: queryGradient, queryGradientStride: queryGradientStride, keyGradient: keyGradient,
                    valueGradient: valueGradient, keyValueGradientStride: keyValueGradientStride, workspace: workspace
                )
            case .avx512:
                KernelsAVX512.attentionBackward(
                    query: query, queryStride: queryStride, queryCount: queryCount, firstPosition: firstPosition,
                    key: key,
                    value: value, keyValueStride: keyValueStride, headDimension: headDimension, scale: scale,
                    compact: compact, outputGradient: outputGradient, outputStride: outputStride, logSumExp: logSumExp,
                    queryGradient: queryGradient, queryGradientStride: queryGradientStride, keyGradient: keyGradient,
                    valueGradient: valueGradient, keyValueGradientStride: keyValueGradientStride, workspace: workspace
                )
            case .avx2:
                KernelsAVX2.attentionBackward(
                    query: query, queryStride: queryStride, queryCount: queryCount, firstPosition: firstPosition,
                    key: key,
                    value: value, keyValueStride: keyValueStride, headDimension: headDimension, scale: scale,
                    compact: compact, outputGradient: outputGradient, outputStride: outputStride, logSumExp: logSumExp,
                    queryGradient: queryGradient, queryGradientStride: queryGradientStride, keyGradient: keyGradient,
                    valueGradient: valueGradient, keyValueGradientStride: keyValueGradientStride, workspace: workspace
                )
        #endif
        default:
            KernelsBaseline.attentionBackward(
                query: query, queryStride: queryStride, queryCount: queryCount, firstPosition: firstPosition, key: key,
                value: value, keyValueStride: keyValueStride, headDimension: headDimension, scale: scale,
                compact: compact, outputGradient: outputGradient, outputStride: outputStride, logSumExp: logSumExp,
                queryGradient: queryGradient, queryGradientStride: queryGradientStride, keyGradient: keyGradient,
                valueGradient: valueGradient, keyValueGradientStride: keyValueGradientStride, workspace: workspace
            )
        }
    }
}
