import Foundation
import Memory

/// All bytes of a file, a pipe or a device, refused before they could fill the memory.
package enum InputBytes {
    private static let chunk = 1 << 20
    /// What becomes of a byte once it is parsed, about.
    private static let growth = 8

    /// - Throws: `MalformedInput` naming the file: it cannot be read, or is too large.
    package static func read(path: String) throws(MalformedInput) -> Data {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw unreadable(path) }
        defer { try? handle.close() }
        return try read(handle, name: path)
    }

    /// - Parameters:
    ///   - name: what errors call it.
    ///   - available: bytes of memory that there are.
    /// - Throws: `MalformedInput`: it cannot be read, or is too large.
    package static func read(
        _ handle: FileHandle, name: String, available: Int = AvailableMemory.bytes
    ) throws(MalformedInput) -> Data {
        var status = stat()
        if fstat(handle.fileDescriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
            try check(Int(status.st_size), name: name, available: available)
        }
        var data = Data()
        while true {
            let part: Data?
            do {
                part = try handle.read(upToCount: chunk)
            } catch {
                throw unreadable(name)
            }
            guard let part, !part.isEmpty else { return data }
            data += part
            try check(data.count, name: name, available: available)
        }
    }

    /// Bytes of a file, or of what a link leads to; 0 where that is not known, as of a pipe.
    static func size(path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0
    }

    private static func check(_ count: Int, name: String, available: Int) throws(MalformedInput) {
        guard count > available / growth else { return }
        throw MalformedInput(
            file: name,
            problem:
                "is too large: \(count) bytes or more take about \(growth) times as much memory, and \(available) bytes "
                + "are there")
    }

    private static func unreadable(_ name: String) -> MalformedInput {
        MalformedInput(file: name, problem: "cannot be read; does it exist, and may you read it?")
    }
}
