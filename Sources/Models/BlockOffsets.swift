/// Where each of a layer's matrices stands in a buffer of packed ones.
struct BlockOffsets {
    private let queryKeyValue: Int
    private let output: Int
    private let gateUp: Int
    private let down: Int

    /// - Parameter place: takes room for a block and gives its offset; asked once for each, in this order.
    init(_ place: (ProjectionBlock) -> Int) {
        queryKeyValue = place(.queryKeyValue)
        output = place(.output)
        gateUp = place(.gateUp)
        down = place(.down)
    }

    subscript(block: ProjectionBlock) -> Int {
        switch block {
        case .queryKeyValue: queryKeyValue
        case .output: output
        case .gateUp: gateUp
        case .down: down
        }
    }
}
