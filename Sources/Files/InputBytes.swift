import Foundation
import Memory

/// All bytes of a file, a pipe or a terminal, refused before they could fill the memory: of input that a user may give in any of
/// these ways. `InputFile` reads what must be a file.
package enum InputBytes {
    private static let chunk = 1 << 20
    /// What becomes of a byte once it is parsed, about.
    private static let growth = 8

    /// - Parameter limit: bytes that can be right, at most.
    /// - Throws: `FileError`: it cannot be read, is a folder or an endless device, or is too large.
    package static func read(path: String, limit: Int = .max) throws(FileError) -> Data {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code = errno
            throw FileError(file: path, .read, code: code)
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        return try read(handle, name: path, limit: limit)
    }

    /// - Parameters:
    ///   - name: what errors call it.
    ///   - limit: bytes that can be right, at most.
    ///   - available: bytes of memory that there are.
    /// - Throws: `FileError`: it cannot be read, is a folder or an endless device, or is too large.
    package static func read(
        _ handle: FileHandle, name: String, limit: Int = .max, available: Int = AvailableMemory.bytes
    ) throws(FileError) -> Data {
        let bound = Bound(name: name, limit: limit, available: available)
        var status = stat()
        let kind = fstat(handle.fileDescriptor, &status) == 0 ? status.st_mode & S_IFMT : 0
        guard kind != S_IFDIR else { throw FileError(file: name, reason: "is a directory, not a file") }
        if kind == S_IFREG { try bound.check(Int(status.st_size)) }
        let isDevice = kind == S_IFBLK || kind == S_IFCHR && isatty(handle.fileDescriptor) == 0
        var data = Data()
        while true {
            let part: Data?
            do {
                part = try handle.read(upToCount: chunk)
            } catch {
                throw FileError(file: name, .read, error)
            }
            guard let part, !part.isEmpty else { return data }
            // `/dev/null` has nothing; others have no end.
            guard !isDevice else {
                throw FileError(file: name, reason: "is a device: it must be a file, a pipe or a terminal")
            }
            data += part
            try bound.check(reading: data.count)
        }
    }

    /// Bytes of a file, or of what a link leads to; 0 where that is not known, as of a pipe.
    package static func size(path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0
    }

    /// What is too much.
    private struct Bound {
        let name: String
        let limit: Int
        let available: Int

        private var most: Int { min(limit, available / growth) }
        private var reason: String {
            limit <= available / growth
                ? "no more can be right"
                : "they take about \(growth) times as much memory, of which \(available) bytes are there"
        }

        /// - Parameter size: all bytes of a file.
        func check(_ size: Int) throws(FileError) {
            guard size > most else { return }
            throw FileError(
                file: name, reason: "is too large: it has \(size) bytes, and at most \(most) are read; \(reason)")
        }

        /// - Parameter count: bytes that came so far, of what tells no size.
        func check(reading count: Int) throws(FileError) {
            guard count > most else { return }
            throw FileError(
                file: name, reason: "is too large: it gives more than \(most) bytes, the most that is read; \(reason)")
        }
    }
}
