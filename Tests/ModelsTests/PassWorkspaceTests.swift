import Testing

@testable import Models

@Suite struct PassWorkspaceTests {
    /// A weight gradient may need more workspace for fewer rows, so a large batch does not make room for every smaller one.
    @Test(arguments: Precision.allCases)
    func everyBatchFindsTheWorkspaceThatItNeeds(precision: Precision) {
        var shape = ModelConfiguration(
            hiddenSize: 16, intermediateSize: 24, layerCount: 1, attentionHeadCount: 2, keyValueHeadCount: 1,
            vocabularySize: 70, maxPositions: 64)
        shape.precision = precision
        let workspace = PassWorkspace()
        for rows in [700, 300, 257, 256, 512, 513, 100, 1] {
            for targets in [rows, max(1, rows / 2)] {
                workspace.reserve(BackwardSizes(shape, rows: rows, targets: targets, positions: 10).workspace)
                let needed = [
                    (rows, shape.hiddenSize), (rows, shape.queryWidth), (rows, shape.intermediateSize),
                    (targets, shape.hiddenSize),
                ].map { WeightGradient.workspaceCount(rows: $0.0, inputs: $0.1, precision: precision) }
                #expect(needed.allSatisfy { $0 <= workspace.product.count }, "\(rows) rows, \(targets) targets")
            }
        }
    }

    /// Each buffer has the most that was ever asked for, and stays where it is until more is.
    @Test func aWorkspaceGrowsAlone() {
        let workspace = PassWorkspace()
        let first = WorkspaceSizes(attention: 10, gathered: 20, attentionBackward: 30, product: 40, scratch: 50)
        workspace.reserve(first)
        #expect(workspace.sizes == first)
        #expect(workspace.sizes.byteCount == 4 * (10 + 2 * 20 + 30 + 40 + 50))
        let before = [
            workspace.attention.pointer, workspace.gatheredKeyValue.pointer, workspace.gatheredGradient.pointer,
            workspace.attentionBackward.pointer,
        ]
        let second = WorkspaceSizes(attention: 9, gathered: 20, attentionBackward: 1, product: 41)
        workspace.reserve(second)
        var both = first
        both.formMaximum(second)
        #expect(
            both == WorkspaceSizes(attention: 10, gathered: 20, attentionBackward: 30, product: 41, scratch: 50))
        #expect(workspace.sizes == both)
        #expect(
            before == [
                workspace.attention.pointer, workspace.gatheredKeyValue.pointer, workspace.gatheredGradient.pointer,
                workspace.attentionBackward.pointer,
            ])
        let third = WorkspaceSizes(attention: 11, gathered: 21, attentionBackward: 31, product: 42, scratch: 51)
        workspace.reserve(third)
        #expect(workspace.sizes == third)
        #expect(workspace.gatheredGradient.count == 21)
    }

    /// Nobody has what another has, and no more are made than are out at once.
    @Test func aWorkspaceHasOneHolder() {
        let workspaces = PassWorkspaces()
        #expect(workspaces.count == 0)
        let sizes = WorkspaceSizes(attention: 10, product: 40)
        let first = Self.holders(3, of: sizes, workspaces)
        #expect(Set(first.map { ObjectIdentifier($0) }).count == 3)
        #expect(first.allSatisfy { $0.sizes == sizes })
        #expect(workspaces.count == 3)
        // The one that was lent first has come back last.
        let second = Self.holders(2, of: WorkspaceSizes(product: 41), workspaces)
        #expect(second.map { ObjectIdentifier($0) } == first.prefix(2).map { ObjectIdentifier($0) })
        #expect(second.allSatisfy { $0.sizes == WorkspaceSizes(attention: 10, product: 41) })
        #expect(first[2].sizes == sizes && workspaces.count == 3)
    }

    /// What so many have at once, in the order in which it was lent.
    private static func holders(
        _ count: Int, of sizes: WorkspaceSizes, _ workspaces: PassWorkspaces
    ) -> [PassWorkspace] {
        guard count > 0 else { return [] }
        var result: [PassWorkspace] = []
        let left = max(0, workspaces.count - 1)
        workspaces.lend(sizes) {
            #expect(workspaces.count == left)
            result = [$0] + holders(count - 1, of: sizes, workspaces)
        }
        return result
    }
}
