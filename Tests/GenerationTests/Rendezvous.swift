import Glibc
import Models
import Synchronization

@testable import Generation
@testable import Pipelines

/// Has all places of a team take part in an engine's steps, however the threads are scheduled.
///
/// Each program of a step then begins with a stage of a tile for each place, and no tile ends before all have begun: only so many
/// threads can pass it. Every one of them then holds the tile that it has claimed next, of the program itself, and waits until
/// all hold one. So each member runs part of the program, if that has a tile for each.
final class Rendezvous: Sendable {
    private let places: Int
    private let steps: Int
    /// Written by the thread that steps, while no program runs.
    private let begun = Atomic(0)
    private let arrived = Atomic(0)
    private let givenUp = Atomic(false)

    /// - Parameter steps: that begin so; those after them are left to chance.
    init(places: Int, steps: Int) {
        self.places = places
        self.steps = steps
    }

    /// Whether all came, to both gates of both programs of each step.
    var succeeded: Bool {
        !givenUp.load(ordering: .acquiring) && arrived.load(ordering: .acquiring) == steps * 2 * 2 * places
    }

    /// Makes the members of the generator's teams meet.
    func join(_ generator: Generator) {
        generator.forward = meeting(before: generator.forward)
        generator.sampling = meeting(before: generator.sampling)
    }

    /// Comes before each step of the generator.
    func beginStep() {
        begun.wrappingAdd(1, ordering: .releasing)
    }

    private func meeting(before program: TeamProgram) -> TeamProgram {
        TeamProgram { [self] member in
            let meets = begun.load(ordering: .acquiring) <= steps
            member.perform(meets ? places : 0) { _ in pass() }
            if meets { pass() }
            program.body(&member)
        }
    }

    /// Waits until a multiple of `places` have come; gives up for good after half a minute.
    private func pass() {
        let number = arrived.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
        let all = (number / places + 1) * places
        let end = MonotonicTime.now() + 30_000_000_000
        while arrived.load(ordering: .acquiring) < all && !givenUp.load(ordering: .acquiring) {
            if MonotonicTime.now() > end { givenUp.store(true, ordering: .releasing) }
            sched_yield()
        }
    }
}
