import Foundation

/// Reads files that a user names: never waits for a pipe's other end, and takes no memory for a file that is too large to be
/// what it should be.
package enum InputFile {
    /// Bytes of a file of settings or of a tokenizer at most; the largest in use have some tens of millions.
    package static let largestText = 128 << 20
    /// Bytes of a short file of settings at most. As values, JSON takes up to thirty times its bytes.
    package static let largestSettings = 1 << 20

    /// Whether something has that name, also a link that leads nowhere or what may not be looked at: reading it says so.
    package static func isPresent(_ url: URL) -> Bool {
        let path = url.path
        var status = stat()
        guard lstat(path, &status) != 0 else { return true }
        let code = errno
        return code != ENOENT && code != ENOTDIR
    }

    /// - Throws: `FileError`, also where there are more bytes than `limit`.
    package static func data(_ url: URL, limit: Int = largestText) throws(FileError) -> Data {
        try withDescriptor(of: url) { (descriptor, size) throws(FileError) in
            guard size <= limit else {
                throw FileError(file: url.path, reason: "has \(size) bytes; at most \(limit) can be right")
            }
            do {
                return try FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).read(upToCount: size) ?? Data()
            } catch {
                throw FileError(file: url.path, .read, error)
            }
        }
    }

    /// Opens a file for reading while `body` runs, which is given its descriptor and its size in bytes.
    ///
    /// - Throws: `FileError` for what cannot be opened or is no file, before `body` runs.
    package static func withDescriptor<Result>(
        of url: URL, _ body: (_ descriptor: Int32, _ size: Int) throws(FileError) -> Result
    ) throws(FileError) -> Result {
        let path = url.path
        // Opening a pipe would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            throw FileError(file: path, .read, code: code)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            throw FileError(file: path, .read, code: code)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return try body(descriptor, Int(status.st_size))
        case S_IFDIR: throw FileError(file: path, reason: "is a directory, not a file")
        default: throw FileError(file: path, reason: "is not a file")
        }
    }
}
