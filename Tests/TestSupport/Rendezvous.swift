import Glibc
import Pipelines
import Synchronization

/// Has all places of a team take part in the programs of some steps, however the threads are scheduled.
///
/// Each program of such a step begins with a stage of a tile for each place, and no tile ends before all have begun: only so many
/// threads can pass it. Every one of them then holds the tile that it has claimed next, of the program itself, and waits until
/// all hold one. So each member runs part of the program, if that has a tile for each.
package final class Rendezvous: Sendable {
    private let places: Int
    private let programs: Int
    private let steps: Int
    /// Written by the thread that steps, while no program runs.
    private let begun = Atomic(0)
    private let arrived = Atomic(0)
    private let givenUp = Atomic(false)

    /// - Parameters:
    ///   - programs: that a step runs.
    ///   - steps: that begin so; those after them are left to chance.
    package init(places: Int, programs: Int, steps: Int) {
        self.places = places
        self.programs = programs
        self.steps = steps
    }

    /// Whether all came, to both gates of all programs of each step.
    package var succeeded: Bool {
        !givenUp.load(ordering: .acquiring) && arrived.load(ordering: .acquiring) == steps * programs * 2 * places
    }

    /// Comes before each step.
    package func beginStep() {
        begun.wrappingAdd(1, ordering: .releasing)
    }

    /// The program, in whose beginning the members meet.
    package func meeting(before program: TeamProgram) -> TeamProgram {
        TeamProgram { [self] member in
            let meets = begun.load(ordering: .acquiring) <= steps
            member.perform(meets ? places : 0) { _ in pass() }
            if meets { pass() }
            program.body(&member)
        }
    }

    /// Waits until a multiple of `places` have come, or gives up for good.
    private func pass() {
        let number = arrived.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
        let all = (number / places + 1) * places
        let patience = Patience()
        while arrived.load(ordering: .acquiring) < all && !givenUp.load(ordering: .acquiring) {
            if patience.isOver { givenUp.store(true, ordering: .releasing) }
            sched_yield()
        }
    }
}
