import Glibc

/// How long the present thread looks out for what another has to do, before the test fails instead of hanging.
///
/// It goes by the core time that the thread itself has had: that stands still while the process is paused, and runs slowly where many
/// share a core, as the time of the other thread does.
package struct Patience {
    private let end: Int

    /// - Parameter seconds: far more than what is awaited needs.
    package init(seconds: Int = 30) {
        end = Self.used + seconds * 1_000_000_000
    }

    /// Asked by the thread that it began on.
    package var isOver: Bool { Self.used > end }

    /// Nanoseconds.
    private static var used: Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
