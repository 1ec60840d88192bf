import Glibc

/// A lock with a condition to wait for: `Mutex` of the standard library has none.
struct ConditionLock: ~Copyable, @unchecked Sendable {
    // Unchecked: the system's lock and condition are made to be shared; the pointers to them are constant, and what they
    // point to is freed with the only owner.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        let code = max(pthread_mutex_init(mutex, nil), pthread_cond_init(condition, nil))
        precondition(code == 0, "the system gives no lock (error \(code))")
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func lock() {
        pthread_mutex_lock(mutex)
    }

    func unlock() {
        pthread_mutex_unlock(mutex)
    }

    /// Lets go of the lock until somebody signals, or for no reason at all; the lock is held again on return.
    func wait() {
        pthread_cond_wait(condition, mutex)
    }

    func signal() {
        pthread_cond_signal(condition)
    }

    func broadcast() {
        pthread_cond_broadcast(condition)
    }
}
