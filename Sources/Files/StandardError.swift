import Foundation

/// Writes to standard error without a stake in who reads it: `FileHandle` traps where its write fails.
package enum StandardError {
    /// Writes as much as can be written.
    package static func write(_ text: String, to descriptor: Int32 = STDERR_FILENO) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)[...]
            while !rest.isEmpty {
                let written = Foundation.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if written > 0 {
                    rest = rest.dropFirst(written)
                } else if written == 0 || errno != EINTR {
                    // A full disk, or a reader or terminal that has gone: there is nowhere left to say so.
                    return
                }
            }
        }
    }
}
