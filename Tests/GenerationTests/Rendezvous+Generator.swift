import TestSupport

@testable import Generation

extension Rendezvous {
    /// Programs of a generator's step.
    static let generatorPrograms = 2

    /// Makes the members of the generator's teams meet.
    func join(_ generator: Generator) {
        generator.forward = meeting(before: generator.forward)
        generator.sampling = meeting(before: generator.sampling)
    }
}
