import Foundation

/// A file that is written piece by piece, so that its text is never there as a whole: beside its place first, then in it.
///
///     try StreamedFile.write(inPlaceOf: url) { file in
///         for event in events { try file.write(event.text) }
///     }
package struct StreamedFile: ~Copyable {
    /// Bytes that are put together before they are written.
    private static let pieceBytes = 1 << 16

    private static let partialEnding = ".partial"

    private let handle: FileHandle
    private var piece = Data()

    private init(_ handle: FileHandle) {
        self.handle = handle
        piece.reserveCapacity(2 * Self.pieceBytes)
    }

    /// - Parameter body: writes the text; where it throws, what stood there before stays.
    /// - Throws: `FileError`, and what `body` throws.
    package static func write(inPlaceOf url: URL, _ body: (inout StreamedFile) throws -> Void) throws {
        let beside = url.deletingLastPathComponent()
            .appending(path: ".\(url.lastPathComponent).\(UUID().uuidString)\(partialEnding)")
        let descriptor = open(beside.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            let code = errno
            throw FileError(file: url.path, .written, code: code)
        }
        do {
            try FileError.writing(url) {
                var file = StreamedFile(FileHandle(fileDescriptor: descriptor, closeOnDealloc: true))
                try body(&file)
                try file.flush()
                try file.handle.close()
            }
            guard rename(beside.path, url.path) == 0 else {
                let code = errno
                throw FileError(file: url.path, .written, code: code)
            }
        } catch {
            unlink(beside.path)
            throw error
        }
    }

    /// Whether a file of that name is one that was being written.
    package static func isPartial(_ name: String) -> Bool {
        guard name.hasPrefix("."), name.hasSuffix(partialEnding) else { return false }
        let unique = name.dropLast(partialEnding.count).split(separator: ".").last
        return unique.flatMap { UUID(uuidString: String($0)) } != nil
    }

    package mutating func write(_ text: String) throws {
        piece.append(contentsOf: text.utf8)
        if piece.count >= Self.pieceBytes { try flush() }
    }

    private mutating func flush() throws {
        try handle.write(contentsOf: piece)
        piece.removeAll(keepingCapacity: true)
    }
}
