import Glibc
import Memory
import Synchronization

/// One worker thread's record of where its time went: a block of counters that its thread alone writes.
///
/// Trivial, so that it can be read from a thread-specific value without reference counting. The block is owned by the
/// `StallClock`, which outlives its threads. Every switch writes under a sequence number, odd while it goes on, so that a
/// reader on another thread gets the counters of one moment without any lock.
struct WorkerClock: @unchecked Sendable {
    // Unchecked: the memory is atomics alone, and is written by one thread, under the sequence number that readers go by. The
    // initial values are written before that thread is made.
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>

    /// A state is `stage * phases + phase`, or idle.
    static let busyCodes = Stage.allCases.count * Phase.allCases.count
    static let idleCode = busyCodes

    private static let sequence = 0
    private static let since = 1
    private static let state = 2
    private static let ring = 3
    private static let counters = 8
    /// Cells of one block, a whole number of cache lines.
    static let cellCount = (counters + busyCodes + 1 + 7) / 8 * 8

    static func code(_ stage: Stage, _ phase: Phase) -> Int {
        stage.rawValue * Phase.allCases.count + phase.rawValue
    }

    /// The state of another phase in the stage of a busy one.
    static func code(_ code: Int, switchedTo phase: Phase) -> Int {
        code / Phase.allCases.count * Phase.allCases.count + phase.rawValue
    }

    init(memory: UnsafeMutableRawPointer) {
        cells = memory.bindMemory(to: Atomic<UInt64>.self, capacity: Self.cellCount)
    }

    /// Starts idle at `now`. The ring, if any, is owned by the trace recorder.
    func initialize(at now: UInt64, ring: TraceRing?) {
        for index in 0..<Self.cellCount {
            (cells + index).initialize(to: Atomic(0))
        }
        store(Self.since, now)
        store(Self.state, UInt64(Self.idleCode))
        if let ring {
            store(Self.ring, UInt64(UInt(bitPattern: Unmanaged.passUnretained(ring).toOpaque())))
        }
    }

    private func load(_ index: Int) -> UInt64 {
        cells[index].load(ordering: .relaxed)
    }

    private func store(_ index: Int, _ value: UInt64) {
        cells[index].store(value, ordering: .relaxed)
    }

    /// What the thread does now. Only its own thread gets an exact answer.
    var code: Int { Int(load(Self.state)) }

    /// What the state has taken up to the last switch, in nanoseconds. Called by the owning thread.
    func nanoseconds(_ code: Int) -> UInt64 { load(Self.counters + code) }

    /// Closes the present span at `now` and begins one in state `code`. Called by the owning thread.
    func change(to code: Int, at now: UInt64) {
        let began = load(Self.since)
        let old = load(Self.state)
        let number = load(Self.sequence)
        let counter = Self.counters + Int(old)
        store(Self.sequence, number + 1)
        atomicMemoryFence(ordering: .releasing)
        store(counter, load(counter) + now.since(began))
        store(Self.since, max(began, now))
        store(Self.state, UInt64(code))
        cells[Self.sequence].store(number + 2, ordering: .releasing)
        // Unretained: the clock that owns this block owns the recorder too, whose rings are made with it and stay.
        let ring = load(Self.ring)
        if ring != 0, old != UInt64(Self.idleCode), let address = UnsafeRawPointer(bitPattern: UInt(ring)) {
            Unmanaged<TraceRing>.fromOpaque(address)._withUnsafeGuaranteedRef {
                $0.record(code: Int(old), from: began, to: now)
            }
        }
    }

    /// The counters at one moment, the open span up to `now` included. Called by any thread.
    func read(at now: UInt64, into nanoseconds: inout [UInt64]) {
        while true {
            let before = cells[Self.sequence].load(ordering: .acquiring)
            for code in 0...Self.busyCodes {
                nanoseconds[code] = load(Self.counters + code)
            }
            let began = load(Self.since)
            let state = Int(load(Self.state))
            atomicMemoryFence(ordering: .acquiring)
            if before % 2 == 0, load(Self.sequence) == before {
                nanoseconds[state] += now.since(began)
                return
            }
        }
    }

    // MARK: The present thread

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let code = pthread_key_create(&key, nil)
        precondition(code == 0, "no thread-specific key is left (error \(code))")
        return key
    }()

    /// The clock of the present thread; nil on a thread that is no worker.
    static var current: WorkerClock? {
        // What stands there is a worker's `cells`, from `makeCurrent` on, and is cleared while the block still lives.
        guard let memory = pthread_getspecific(key) else { return nil }
        return WorkerClock(cells: memory.assumingMemoryBound(to: Atomic<UInt64>.self))
    }

    private init(cells: UnsafeMutablePointer<Atomic<UInt64>>) {
        self.cells = cells
    }

    func makeCurrent() {
        pthread_setspecific(Self.key, cells)
    }

    static func clearCurrent() {
        pthread_setspecific(key, nil)
    }
}
