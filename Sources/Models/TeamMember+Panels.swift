import Kernels
import Pipelines

extension TeamMember {
    /// One stage over a product's panels, with what the member reads next: its next part of this matrix, or its first one of
    /// `next`, if all members go on evenly, and a share of the `pages` that panels of other products, `earlier` ones, have
    /// begun to bring near.
    mutating func perform(
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
