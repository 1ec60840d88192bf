import Foundation

/// Keeps a run directory to one run at a time: an exclusive lock on a file in it, which goes with the process however that ends.
final class RunLock: Sendable {
    static let name = ".lock"

    private let descriptor: Int32
    private let path: String

    /// - Throws: `ConfigurationError` where another run has the directory, or it cannot be written.
    init(_ directory: URL) throws {
        path = directory.appending(path: Self.name).path
        descriptor = try Self.take(path, in: directory.path)
    }

    private static func take(_ path: String, in directory: String) throws -> Int32 {
        func failure(_ reason: String) -> ConfigurationError {
            ConfigurationError(source: directory, key: "output", reason: reason)
        }
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
            guard descriptor >= 0 else { throw failure("cannot be locked: \(String(cString: strerror(errno)))") }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let code = errno
                close(descriptor)
                if code == EINTR { continue }
                throw failure(
                    code == EWOULDBLOCK
                        ? "is in use by another run" : "cannot be locked: \(String(cString: strerror(code)))")
            }
            var held = stat()
            var named = stat()
            // A run that has just ended may have removed the file that was locked here.
            if fstat(descriptor, &held) == 0, stat(path, &named) == 0, held.st_ino == named.st_ino,
                held.st_dev == named.st_dev
            {
                return descriptor
            }
            close(descriptor)
        }
    }

    deinit {
        // While the lock is held: whoever opened the file meanwhile sees that it is gone.
        unlink(path)
        close(descriptor)
    }
}
