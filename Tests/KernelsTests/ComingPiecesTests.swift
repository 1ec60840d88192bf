import Testing

@testable import Kernels
@testable import KernelsBaseline

#if arch(x86_64)
    @testable import KernelsAVX2
    @testable import KernelsAVX512
    @testable import KernelsAVX512BF16
#endif

/// Which pieces products bring near. No result shows it, so the addresses themselves are looked at.
@Suite struct ComingPiecesTests {
    /// How a variant's strips take pieces, and where their tiles begin to bring.
    struct Variant: Sendable, CustomTestStringConvertible {
        let instructionSet: InstructionSet
        let tileWidth: Int
        /// Whether up to sixteen columns at the end go without a tile that brings anything.
        var leavesHalfPanels = false
        let bringPieces: @Sendable (inout KernelComing, inout Strip) -> Void
        let aheadOfTile: @Sendable (Strip, Int) -> (UnsafePointer<Float>, stride: Int)

        var testDescription: String { instructionSet.description }

        static var supported: [Variant] {
            var variants = [
                Variant(
                    instructionSet: .baseline, tileWidth: KernelsBaseline.tileWidth,
                    bringPieces: { KernelsBaseline.bringPieces(of: &$0, in: &$1) },
                    aheadOfTile: { KernelsBaseline.aheadOfTile(of: $0, at: $1) })
            ]
            #if arch(x86_64)
                variants += [
                    Variant(
                        instructionSet: .avx2, tileWidth: KernelsAVX2.tileWidth,
                        bringPieces: { KernelsAVX2.bringPieces(of: &$0, in: &$1) },
                        aheadOfTile: { KernelsAVX2.aheadOfTile(of: $0, at: $1) }),
                    Variant(
                        instructionSet: .avx512, tileWidth: KernelsAVX512.tileWidth, leavesHalfPanels: true,
                        bringPieces: { KernelsAVX512.bringPieces(of: &$0, in: &$1) },
                        aheadOfTile: { KernelsAVX512.aheadOfTile(of: $0, at: $1) }),
                    Variant(
                        instructionSet: .avx512bf16, tileWidth: KernelsAVX512BF16.tileWidth, leavesHalfPanels: true,
                        bringPieces: { KernelsAVX512BF16.bringPieces(of: &$0, in: &$1) },
                        aheadOfTile: { KernelsAVX512BF16.aheadOfTile(of: $0, at: $1) }),
                ]
            #endif
            return variants.filter { InstructionSet.supported.contains($0.instructionSet) }
        }
    }

    /// As the tiles' own declaration has it.
    typealias Strip = KernelsBaseline.Strip

    /// One strip after the other brings the next pieces, each once, in order, from its beginning and as far as it goes.
    @Test(arguments: Variant.supported, [0, 1, 3, 7, 40, 1000])
    func everyPieceComesOnce(variant: Variant, count: Int) {
        let memory = GuardedFloats([Float](repeating: 0, count: 4096))
        let result = GuardedFloats([Float](repeating: 0, count: 16))
        // Behind the last address stands what cannot be read.
        let lanes = GuardedFloats([Float](repeating: 0, count: 2 * count))
        let addresses = UnsafeMutableRawPointer(lanes.pointer)
            .bindMemory(to: UnsafeMutablePointer<Float>.self, capacity: count)
        for index in 0..<count { addresses[index] = memory.pointer + index }
        for isOwn in [false, true] {
            for columns in [1, 16, 17, 48, 50, 64, 333] {
                for (depth, length, lines) in [(40, 500, 13), (64, 1024, 16), (9, 3000, 16), (512, 512, 1), (0, 5, 5)] {
                    var coming: KernelComing = (nil, UnsafePointer(addresses), count, 640, length)
                    var brought: [UnsafePointer<Float>] = []
                    let isHalf = variant.leavesHalfPanels && (1...16).contains(columns % variant.tileWidth)
                    let tiled = isHalf ? columns - columns % variant.tileWidth : columns
                    for _ in 0..<5 {
                        var strip: Strip = (
                            a: UnsafePointer(memory.pointer), rowStride: 0, depthStride: 1,
                            panel: UnsafePointer(memory.pointer), panelStride: 0, depth: depth, result: result.pointer,
                            resultStride: 0, columns: columns, reloading: false, following: result.pointer,
                            ahead: (
                                UnsafePointer(memory.pointer), 32, depth: depth, columns: columns, stride: 16,
                                pieces: nil, pieceCount: 0, pieceOffset: 0, isOwn: isOwn
                            )
                        )
                        variant.bringPieces(&coming, &strip)
                        for column in stride(from: 0, to: tiled, by: variant.tileWidth) {
                            let (ahead, stride) = variant.aheadOfTile(strip, column)
                            // With no piece left it stays where it is, or asks for its own panel.
                            guard brought.count < count else {
                                #expect(ahead == strip.panel + (isOwn ? column % 32 + 64 * 32 : 0))
                                #expect(stride == (isOwn ? 32 : 0))
                                continue
                            }
                            brought.append(ahead)
                            #expect(stride == lines)
                            #expect(stride == 16 || stride * max(1, depth) >= length)
                        }
                    }
                    let tiles = 5 * ((tiled + variant.tileWidth - 1) / variant.tileWidth)
                    #expect(brought == (0..<min(count, tiles)).map { UnsafePointer(memory.pointer + $0 + 640) })
                    #expect(coming.pieceCount == max(0, count - tiles))
                }
            }
        }
    }

    /// What the kernels take is what was given, each where it belongs.
    @Test func partsStandWhereKernelsTakeThem() {
        let floats = GuardedFloats([Float](repeating: 0, count: 16))
        let lanes = GuardedFloats([Float](repeating: 0, count: 16))
        let addresses = UnsafeMutableRawPointer(lanes.pointer)
            .bindMemory(to: UnsafeMutablePointer<Float>.self, capacity: 8)
        let panels = UnsafePointer(floats.pointer)
        let pieces = Kernels.ComingReads.Pieces(
            addresses: UnsafePointer(addresses), count: 3, offset: 640, length: 512)
        let parts = Kernels.ComingReads(panels: panels, pieces: pieces).parts
        #expect(parts == (panels, UnsafePointer(addresses), 3, 640, 512))
        #expect(Kernels.ComingReads(panels: panels).parts == (panels, nil, 0, 0, 0))
        #expect(Kernels.ComingReads.none.parts == (nil, nil, 0, 0, 0))
    }
}
