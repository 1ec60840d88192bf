import Glibc
import Synchronization
import TestSupport

@testable import Pipelines

func isOnExecutorsThread() -> Bool {
    ComputeThread.withCurrentCore { _, _ in true } ?? false
}

func onComputeThread() -> Bool {
    isOnExecutorsThread() && PresentThread.name.hasPrefix("rlkd-core-")
}

actor CountingActor {
    private(set) var counted = 0

    func count() -> Bool {
        counted += 1
        return onComputeThread()
    }
}

final class Counter: Sendable {
    private let count = Atomic(0)

    func add(_ amount: Int = 1) {
        count.wrappingAdd(amount, ordering: .sequentiallyConsistent)
    }

    var value: Int { count.load(ordering: .sequentiallyConsistent) }
}

final class Flag: Sendable {
    private let flag = Atomic(false)

    func raise() {
        flag.store(true, ordering: .releasing)
    }

    var isRaised: Bool { flag.load(ordering: .acquiring) }
}

/// Events in the order in which they came.
final class Recorder<Event: Sendable>: Sendable {
    private let recorded = Mutex<[Event]>([])

    @discardableResult
    func append(_ event: Event) -> Int {
        recorded.withLock { recorded in
            recorded.append(event)
            return recorded.count
        }
    }

    var events: [Event] { recorded.withLock { $0 } }
}

/// A clock that tests move by hand.
final class ManualTime: Sendable {
    private let nanoseconds = Atomic<UInt64>(1_000)

    var read: @Sendable () -> UInt64 {
        { self.nanoseconds.load(ordering: .relaxed) }
    }

    func advance(milliseconds: UInt64) {
        nanoseconds.wrappingAdd(milliseconds * 1_000_000, ordering: .relaxed)
    }
}
