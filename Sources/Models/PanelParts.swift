/// The parts in which a team takes the panels of a product: in rounds of one part for each member, every round about half of what
/// is left (factoring; Hummel, Schonberg and Flynn, CACM 35(8), 1992). Most panels are then read many in one go, and the last
/// parts, for which the others wait, are short.
struct PanelParts: BitwiseCopyable {
    private let panels: Int
    private let places: Int
    /// Panels that are never taken apart.
    private let unit: Int
    let count: Int

    /// - Parameters:
    ///   - panels: of the product.
    ///   - places: members that there may be. A single one takes all at once.
    ///   - rows: of the product. Where they are few, panels are not taken one by one as long as there are enough.
    init(panels: Int, places: Int, rows: Int) {
        self.panels = panels
        self.places = places
        unit = rows < Self.manyRows && panels >= 8 * places ? 2 : 1
        var left = Self.units(panels, of: unit)
        var count = 0
        while left > 0 {
            let size = Self.size(left, places)
            let round = min(places, (left + size - 1) / size)
            count += round
            left -= min(left, round * size)
        }
        self.count = count
    }

    /// From as many rows on, strips of many rows bring the next panel near. With AVX-512 low ones may take two panels at once, and
    /// ask for their own ones alone, which pays the better the longer a part is.
    private static let manyRows = 24

    private static func units(_ panels: Int, of unit: Int) -> Int { (panels + unit - 1) / unit }

    /// Units of each part of the next round.
    private static func size(_ left: Int, _ places: Int) -> Int {
        places == 1 ? left : max(1, left / (2 * places))
    }

    /// The panels of a part.
    subscript(index: Int) -> Range<Int> {
        var first = 0
        let units = Self.units(panels, of: unit)
        var size = Self.size(units, places)
        for _ in 0..<index / places {
            first += places * size
            size = Self.size(units - first, places)
        }
        first += index % places * size
        return min(panels, first * unit)..<min(panels, (first + size) * unit)
    }
}
