/// Calls a body once for each of `0..<tiles`, in any order and on any threads, and returns when all calls have.
public typealias WeightLoop = (_ tiles: Int, _ body: (Int) -> Void) -> Void

/// The loop of a single thread.
public func runInTurn(tiles: Int, _ body: (Int) -> Void) {
    for tile in 0..<tiles { body(tile) }
}
