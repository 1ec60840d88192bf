/// Work of several stages that the threads of an executor do together: each stage is a loop over tiles, and begins when all
/// tiles of the one before have ended.
///
/// Every member of the team runs the whole body, which shares out its work by `TeamMember.perform` alone; what stands between
/// is done by each, so it may only read. A helper that comes late passes over the stages that are gone, and nobody waits for
/// one that has not come. Made once and kept, a program costs no allocation to run.
///
/// The body must be safe to run on several threads at once, and make the same calls with the same numbers of tiles in every member;
/// a team of several traps at its end if they did not.
public struct TeamProgram {
    package let body: (inout TeamMember) -> Void

    package init(_ body: @escaping (inout TeamMember) -> Void) {
        self.body = body
    }

    /// Runs the program on the present thread, and on others of its executor that have nothing better to do; elsewhere than on a
    /// compute thread, alone.
    ///
    /// - Parameters:
    ///   - places: members whose numbers the program has room for; where the executor has more threads, it runs alone. Any by
    ///     default: for programs that do not go by members' numbers.
    ///   - members: that there may be at once, the present thread among them.
    public borrowing func run(places: Int = .max, members: Int = .max) {
        let done: Void? = ComputeThread.withCurrentCore { core, thread in
            core.run(self, on: thread, places: places, members: members)
        }
        if done == nil {
            var member = TeamMember()
            body(&member)
        }
    }
}

/// One thread's part in a `TeamProgram`.
///
/// Tiles are numbered through all stages, and claimed from one counter. Whoever has claimed a tile of a later stage waits
/// until all before that stage have run; they have been claimed before it, so the wait ends.
public struct TeamMember: ~Copyable {
    /// Place of this member, below `places`: no two at once have the same.
    public let index: Int
    /// Places of the team, at least 1: as many tiles of a stage find a thread, where all may come.
    public let places: Int

    private let help: Help?
    private let isBackward: Bool
    /// The claimed tile, and the number of the next stage's first one.
    private var claimed = 0
    private var nextStage = 0
    /// Tells programs apart by the numbers of tiles of their stages.
    private var digest = 0

    /// Unretained: the core holds both for good, and each member is a variable of a call to the core, which whoever makes the call
    /// holds until it returns.
    struct Help {
        let loop: Unmanaged<TileLoop>
        /// For helpers: lanes whose jobs they go back to.
        let better: Int
        let queuedLanes: Unmanaged<QueuedLanes>
    }

    /// The only member.
    public init() {
        index = 0
        places = 1
        help = nil
        isBackward = false
    }

    /// For tests, a member of a team to which no other comes. It takes each stage's tiles from the last to the first, and so shows
    /// what one of them owes to those before it.
    package init(backwardAt index: Int, of places: Int) {
        self.index = index
        self.places = places
        help = nil
        isBackward = true
    }

    init(index: Int, places: Int, help: Help) {
        self.index = index
        self.places = places
        self.help = help
        isBackward = false
        claimed = help.loop._withUnsafeGuaranteedRef { $0.claim() }
    }

    /// Whether this helper has gone back to better work.
    var hasLeft: Bool { claimed == .max }

    /// The stages that this member has gone through.
    var outline: TileLoop.Outline { TileLoop.Outline(tiles: nextStage, digest: digest & .max) }

    /// One stage: `body` runs once for each of `0..<tiles`, on any members, when all earlier stages have ended.
    public mutating func perform(_ tiles: Int, _ body: (Int) -> Void) {
        guard let help else {
            for tile in 0..<max(0, tiles) { body(isBackward ? tiles - 1 - tile : tile) }
            return
        }
        let first = nextStage
        nextStage += max(0, tiles)
        // The multiplier is that of Knuth's generator MMIX.
        digest = (digest &+ nextStage) &* 6_364_136_223_846_793_005
        while claimed < nextStage {
            help.loop._withUnsafeGuaranteedRef { $0.waitForCompletion(of: first) }
            body(claimed - first)
            help.loop._withUnsafeGuaranteedRef { $0.complete() }
            guard help.queuedLanes._withUnsafeGuaranteedRef({ $0.contain(help.better) }) else {
                claimed = help.loop._withUnsafeGuaranteedRef { $0.claim() }
                continue
            }
            claimed = .max
        }
    }
}

extension TeamMember {
    /// One stage over `0..<count` in ranges that differ by one element at most: four for each place, but of no fewer elements than
    /// `atLeast` and no more than `atMost` each.
    public mutating func perform(
        over count: Int, atLeast smallest: Int = 1, atMost largest: Int = .max, _ body: (Range<Int>) -> Void
    ) {
        guard count > 0 else { return }
        let wanted = min(places == 1 ? 1 : 4 * places, 1 + (count - 1) / smallest)
        let parts = max(wanted, 1 + (count - 1) / largest)
        perform(parts) { body(Self.part($0, of: parts, over: count)) }
    }

    /// A range of `0..<count`, cut into `parts`.
    public static func part(_ index: Int, of parts: Int, over count: Int) -> Range<Int> {
        count * index / parts..<count * (index + 1) / parts
    }
}
