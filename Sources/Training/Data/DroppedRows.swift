/// Rows that did not fit the student's context.
struct DroppedRows: Sendable, Equatable, CustomStringConvertible {
    var training = 0
    /// Of the held-out problems that the run is measured on.
    var heldOut = 0

    var count: Int { training + heldOut }

    var description: String { "\(training) training, \(heldOut) held-out" }
}
