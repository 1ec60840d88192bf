import Foundation

/// Writes to standard output, where nothing but results goes.
enum StandardOutput {
    /// Writes all of it.
    ///
    /// - Throws: `OutputClosed` when the reader has gone, `OutputFailure` when it cannot be written.
    static func write(_ data: Data) throws {
        try data.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = Foundation.write(
                    STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if written >= 0 {
                    rest = rest.dropFirst(written)
                } else if errno == EPIPE {
                    throw OutputClosed()
                } else if errno != EINTR {
                    throw OutputFailure(reason: String(cString: strerror(errno)))
                }
            }
        }
    }

    static func write(line: String) throws {
        try write(Data((line + "\n").utf8))
    }

    /// Writes a value as JSON on a line of its own.
    static func write(row: some Encodable) throws {
        try write(JSONLine.encode(row))
    }
}

/// The reader of standard output has closed it: there is nobody left to work for.
struct OutputClosed: Error {}

/// Standard output cannot be written, for example because a disk is full.
struct OutputFailure: Error, CustomStringConvertible {
    var reason: String

    var description: String { "standard output cannot be written: \(reason)" }
}
