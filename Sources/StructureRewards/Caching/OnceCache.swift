import DequeModule
import Synchronization

/// Values computed once for each key, even when several tasks ask at the same time: the first computes, the others wait.
///
/// At most `capacity` values are kept; among those that nobody asked for again since they were last considered, the oldest is
/// given up first (the clock algorithm). An error is not kept: of those who wait, the next one tries.
public final class OnceCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private enum Entry {
        case computing(waiters: [Int: CheckedContinuation<Void, any Error>])
        case ready(Value, wasAskedAgain: Bool)
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var order: Deque<Key> = []
        var nextWaiter = 0
        var cancelledWaiters: Set<Int> = []
        var hits = 0
        var misses = 0
    }

    private enum Claim {
        case ready(Value)
        case compute
        case wait
    }

    private let state = Mutex(State())
    public let capacity: Int

    public init(capacity: Int) {
        precondition(capacity > 0, "a cache needs room for one value")
        self.capacity = capacity
    }

    /// How often a value was there or being computed, how often it was computed, and how many are kept now.
    public var statistics: (hits: Int, misses: Int, count: Int) {
        state.withLock { ($0.hits, $0.misses, $0.order.count) }
    }

    /// The value for `key`; `compute` runs only if it is neither kept nor being computed.
    ///
    /// Throws what `compute` throws, or `CancellationError` if the task is cancelled while it waits for another's computation.
    public func value(for key: Key, compute: () async throws -> Value) async throws -> Value {
        while true {
            switch claim(key) {
            case .ready(let value):
                return value
            case .wait:
                try await wait(for: key)
            case .compute:
                do {
                    let value = try await compute()
                    finish(key, with: value)
                    return value
                } catch {
                    finish(key, with: nil)
                    throw error
                }
            }
        }
    }

    private func claim(_ key: Key) -> Claim {
        state.withLock { state in
            switch state.entries[key] {
            case nil:
                state.misses += 1
                state.entries[key] = .computing(waiters: [:])
                return .compute
            case .ready(let value, _):
                state.hits += 1
                state.entries[key] = .ready(value, wasAskedAgain: true)
                return .ready(value)
            case .computing:
                return .wait
            }
        }
    }

    private func finish(_ key: Key, with value: Value?) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, any Error>] in
            guard case .computing(let waiters) = state.entries[key] else { return [] }
            state.entries[key] = value.map { .ready($0, wasAskedAgain: false) }
            if value != nil {
                state.order.append(key)
                while state.order.count > capacity { evictOne(&state) }
            }
            return Array(waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    private func evictOne(_ state: inout State) {
        while let key = state.order.popFirst() {
            if case .ready(let value, wasAskedAgain: true) = state.entries[key] {
                state.entries[key] = .ready(value, wasAskedAgain: false)
                state.order.append(key)
            } else {
                state.entries[key] = nil
                return
            }
        }
    }

    /// Returns when the computation under way has ended, well or not.
    private func wait(for key: Key) async throws {
        let waiter = state.withLock { state in
            defer { state.nextWaiter += 1 }
            return state.nextWaiter
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let outcome = state.withLock { state -> Result<Void, any Error>? in
                    if state.cancelledWaiters.remove(waiter) != nil { return .failure(CancellationError()) }
                    guard case .computing(var waiters) = state.entries[key] else { return .success(()) }
                    waiters[waiter] = continuation
                    state.entries[key] = .computing(waiters: waiters)
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let continuation = state.withLock { state -> CheckedContinuation<Void, any Error>? in
                guard case .computing(var waiters) = state.entries[key],
                    let continuation = waiters.removeValue(forKey: waiter)
                else {
                    state.cancelledWaiters.insert(waiter)
                    return nil
                }
                state.entries[key] = .computing(waiters: waiters)
                return continuation
            }
            continuation?.resume(throwing: CancellationError())
        }
        state.withLock { _ = $0.cancelledWaiters.remove(waiter) }
    }
}
