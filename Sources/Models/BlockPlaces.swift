/// Where each of a layer's matrices stands in a buffer of packed ones.
struct BlockPlaces {
    private let queryKeyValue: PackedMatrixPlace
    private let output: PackedMatrixPlace
    private let gateUp: PackedMatrixPlace
    private let down: PackedMatrixPlace

    /// - Parameter place: takes room for a block; asked once for each, in this order.
    init(_ place: (ProjectionBlock) -> PackedMatrixPlace) {
        queryKeyValue = place(.queryKeyValue)
        output = place(.output)
        gateUp = place(.gateUp)
        down = place(.down)
    }

    subscript(block: ProjectionBlock) -> PackedMatrixPlace {
        switch block {
        case .queryKeyValue: queryKeyValue
        case .output: output
        case .gateUp: gateUp
        case .down: down
        }
    }
}
