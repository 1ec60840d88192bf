import Glibc
import Synchronization

/// One program that several threads may run together; a fixed number of them is made in advance and used again and again.
///
/// A loop is nowhere queued, so a helper that comes late finds nothing and leaves nothing behind. `entry` holds an "open" bit, the
/// number of helpers that are let in at once, and that of those inside; a helper gets in by a compare-and-swap that succeeds only
/// while the loop is open and not full. All claim tiles from one counter, see `TeamMember`; whoever finds them gone closes the
/// loop, and the caller then waits for the helpers inside, each of which has started and is at most in its last tile. So the
/// caller can always finish alone.
final class TileLoop: @unchecked Sendable {
    // Unchecked: `work` is written by the caller alone, the one that has `taken` the loop, while it is closed and empty; helpers
    // read it only while they are inside. `offer` opens the entry after the write (release), and a helper comes in by an exchange
    // that acquires it; a helper leaves by a release, and the caller, which acquires the entry that has become empty, writes again
    // after all of them. Everything else is atomic.

    /// The stages of a program, as a member has gone through them.
    struct Outline {
        var tiles: Int
        var digest: Int
    }

    private struct Work {
        let program: UnsafePointer<TeamProgram>
        let lane: Lane
        let code: Int
    }

    /// In `entry`, those inside have the lower half.
    private static let open: UInt64 = 1 << 63
    private static let roomShift: UInt64 = 32
    private static let most = (1 << 31) - 1
    private static let unknown = -1

    private let taken = Atomic(false)
    private let entry = Atomic<UInt64>(0)
    private let next = Atomic(0)
    private let completed = Atomic(0)
    private let laneNumber = Atomic(0)
    /// The outline of the first member that has come to its end; `unknown` before.
    private let outlineTiles = Atomic(unknown)
    private let outlineDigest = Atomic(unknown)
    private var work: Work?

    /// Reserves the loop for one caller.
    func take() -> Bool {
        taken.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    }

    /// Helpers inside; nil where one of this lane could find no tile, or is not let in.
    func helpers(of lane: Lane) -> Int? {
        let entry = entry.load(ordering: .relaxed)
        guard isOpen(entry), laneNumber.load(ordering: .relaxed) == lane.rawValue else { return nil }
        return Self.inside(entry)
    }

    /// Whether an entry lets another helper in.
    private func isOpen(_ entry: UInt64) -> Bool {
        entry & Self.open != 0 && Self.inside(entry) < Int(entry & ~Self.open) >> Self.roomShift
    }

    private static func inside(_ entry: UInt64) -> Int { Int(UInt32(truncatingIfNeeded: entry)) }

    /// Lets helpers in. The caller has taken the loop and keeps `program` alive until `finish` returns.
    ///
    /// - Parameters:
    ///   - helpers: that are let in at once.
    ///   - code: the `WorkerClock` state that helpers' time is charged to.
    func offer(_ program: UnsafePointer<TeamProgram>, helpers: Int, lane: Lane, code: Int) {
        work = Work(program: program, lane: lane, code: code)
        next.store(0, ordering: .relaxed)
        completed.store(0, ordering: .relaxed)
        laneNumber.store(lane.rawValue, ordering: .relaxed)
        outlineTiles.store(Self.unknown, ordering: .relaxed)
        outlineDigest.store(Self.unknown, ordering: .relaxed)
        entry.store(
            Self.open | UInt64(max(0, min(helpers, Self.most))) << Self.roomShift, ordering: .releasing)
    }

    /// Gets a helper in; nil if the loop has closed or is full, otherwise its lane, which may have changed since it was looked
    /// at, and the state to charge the helper's time to.
    func join() -> (lane: Lane, code: Int)? {
        var seen = entry.load(ordering: .relaxed)
        while isOpen(seen) {
            let (exchanged, original) = entry.weakCompareExchange(
                expected: seen, desired: seen + 1, successOrdering: .acquiring, failureOrdering: .relaxed)
            if exchanged {
                return work.map { ($0.lane, $0.code) }
            }
            seen = original
        }
        return nil
    }

    /// The helper's last touch.
    func leave() {
        entry.wrappingSubtract(1, ordering: .releasing)
    }

    /// The number of the next tile of the whole program.
    func claim() -> Int {
        next.wrappingAdd(1, ordering: .relaxed).oldValue
    }

    /// Says that a claimed tile has run.
    func complete() {
        completed.wrappingAdd(1, ordering: .releasing)
    }

    /// Waits until so many tiles have run; each of those has been claimed, so each is being run.
    func waitForCompletion(of tiles: Int) {
        spin(
            while: { completed.load(ordering: .acquiring) < tiles },
            betweenTurns: {
                // A member that had fewer tiles would have left some that nobody runs.
                let all = outlineTiles.load(ordering: .relaxed)
                guard all == Self.unknown || tiles <= all else { Self.refuse() }
            })
    }

    /// Goes through the program as one of the team. True if this call closed the loop.
    // Not inlined: the copy of the closure must be given up before the helper leaves, because the caller's frame owns it.
    @inline(never)
    func run(_ member: inout TeamMember) -> Bool {
        guard let work else { return false }
        work.program.pointee.body(&member)
        compare(member.outline)
        return member.hasLeft ? false : close()
    }

    /// Sees to it that all members have gone through the same stages.
    private func compare(_ outline: Outline) {
        Self.agree(on: outline.tiles, outlineTiles)
        Self.agree(on: outline.digest, outlineDigest)
    }

    private static func agree(on value: Int, _ first: borrowing Atomic<Int>) {
        let (exchanged, original) = first.compareExchange(expected: unknown, desired: value, ordering: .relaxed)
        guard exchanged || original == value else { refuse() }
    }

    private static func refuse() -> Never {
        fatalError("a TeamProgram's body called perform with other numbers of tiles in one member than in another")
    }

    private func close() -> Bool {
        entry.bitwiseAnd(~Self.open, ordering: .relaxed).oldValue & Self.open != 0
    }

    /// Waits for the helpers inside, after the tiles are gone, and frees the loop.
    func finish() {
        spin(while: { Self.inside(entry.load(ordering: .acquiring)) > 0 }, betweenTurns: {})
        work = nil
        taken.store(false, ordering: .releasing)
    }

    /// Keeps the core while another thread ends what it is in, as a phase of its own; a wait that is over at the first look costs
    /// that look.
    ///
    /// - Parameter betweenTurns: called now and then.
    @inline(__always)
    private func spin(while isAwaited: () -> Bool, betweenTurns: () -> Void) {
        guard isAwaited() else { return }
        StallClock.phase(.synchronize) {
            var spins = 0
            while isAwaited() {
                spins += 1
                guard spins % 4096 == 0 else { continue }
                // The one that is waited for may want this very core.
                sched_yield()
                betweenTurns()
            }
        }
    }
}
