import TestSupport

@testable import Generation

extension Rendezvous {
    /// Makes the members of the generator's teams meet: before the forward pass, one program a step.
    ///
    /// - Parameter drawing: before drawing as well, a second program. Only for steps with a draw for each place: no more threads than
    ///   draws are let in.
    func join(_ generator: Generator, drawing: Bool) {
        generator.forward = meeting(before: generator.forward)
        if drawing { generator.sampling = meeting(before: generator.sampling) }
    }
}
