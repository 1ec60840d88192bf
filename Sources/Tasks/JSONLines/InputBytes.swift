import Foundation
import Memory

/// All bytes of a file, a pipe or a terminal, refused before they could fill the memory.
package enum InputBytes {
    private static let chunk = 1 << 20
    /// What becomes of a byte once it is parsed, about.
    private static let growth = 8

    /// - Parameter limit: bytes that can be right, at most.
    /// - Throws: `MalformedInput` naming the file: it cannot be read, is an endless device, or is too large.
    package static func read(path: String, limit: Int = .max) throws(MalformedInput) -> Data {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw unreadable(path) }
        defer { try? handle.close() }
        return try read(handle, name: path, limit: limit)
    }

    /// - Parameters:
    ///   - name: what errors call it.
    ///   - limit: bytes that can be right, at most.
    ///   - available: bytes of memory that there are.
    /// - Throws: `MalformedInput`: it cannot be read, is an endless device, or is too large.
    package static func read(
        _ handle: FileHandle, name: String, limit: Int = .max, available: Int = AvailableMemory.bytes
    ) throws(MalformedInput) -> Data {
        let bound = Bound(name: name, limit: limit, available: available)
        var status = stat()
        let kind = fstat(handle.fileDescriptor, &status) == 0 ? status.st_mode & S_IFMT : 0
        if kind == S_IFREG { try bound.check(Int(status.st_size)) }
        let isDevice = kind == S_IFBLK || kind == S_IFCHR && isatty(handle.fileDescriptor) == 0
        var data = Data()
        while true {
            let part: Data?
            do {
                part = try handle.read(upToCount: chunk)
            } catch {
                throw unreadable(name)
            }
            guard let part, !part.isEmpty else { return data }
            // `/dev/null` has nothing; others have no end.
            guard !isDevice else {
                throw MalformedInput(file: name, problem: "is a device: it must be a file, a pipe or a terminal")
            }
            data += part
            try bound.check(reading: data.count)
        }
    }

    /// Bytes of a file, or of what a link leads to; 0 where that is not known, as of a pipe.
    static func size(path: String) -> Int {
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
        func check(_ size: Int) throws(MalformedInput) {
            guard size > most else { return }
            throw MalformedInput(
                file: name, problem: "is too large: it has \(size) bytes, and at most \(most) are read; \(reason)")
        }

        /// - Parameter count: bytes that came so far, of what tells no size.
        func check(reading count: Int) throws(MalformedInput) {
            guard count > most else { return }
            throw MalformedInput(
                file: name, problem: "is too large: it gives more than \(most) bytes, the most that is read; \(reason)")
        }
    }

    private static func unreadable(_ name: String) -> MalformedInput {
        MalformedInput(file: name, problem: "cannot be read; does it exist, and may you read it?")
    }
}
