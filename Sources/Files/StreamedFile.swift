import Foundation

/// A file that is written piece by piece, so that its content is never there as a whole: beside its place first, then in it.
///
///     try StreamedFile.write(inPlaceOf: url) { file in
///         for event in events { try file.write(event.text) }
///     }
package struct StreamedFile: ~Copyable {
    /// Bytes that are put together before they are written.
    private static let pieceBytes = 1 << 16

    private static let partialEnding = ".partial"

    private let descriptor: Int32
    /// The place, for messages.
    private let path: String
    private var piece: [UInt8] = []

    private init(_ descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
        piece.reserveCapacity(Self.pieceBytes)
    }

    /// - Parameters:
    ///   - flushing: whether the content is on the disk before it is in its place, so that a machine that stops leaves the old file
    ///   or the whole new one.
    ///   - body: writes the content; where it throws, what stood there before stays.
    /// - Throws: `FileError`, and what `body` throws.
    package static func write(
        inPlaceOf url: URL, flushing: Bool = false, _ body: (inout StreamedFile) throws -> Void
    ) throws {
        let beside = url.deletingLastPathComponent()
            .appending(path: ".\(url.lastPathComponent).\(UUID().uuidString)\(partialEnding)").path
        let descriptor = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failure(url.path) }
        do {
            do {
                try FileError.writing(url) {
                    var file = StreamedFile(descriptor, path: url.path)
                    try body(&file)
                    try file.finishPiece()
                }
                guard !flushing || fsync(descriptor) == 0 else { throw failure(url.path) }
            } catch {
                close(descriptor)
                throw error
            }
            guard close(descriptor) == 0, rename(beside, url.path) == 0 else { throw failure(url.path) }
        } catch {
            unlink(beside)
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
        var text = text
        try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
    }

    package mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        if piece.count + bytes.count > Self.pieceBytes { try finishPiece() }
        if bytes.count < Self.pieceBytes {
            piece.append(contentsOf: bytes)
        } else {
            try writeAll(bytes)
        }
    }

    private mutating func finishPiece() throws {
        try piece.withUnsafeBytes { try writeAll($0) }
        piece.removeAll(keepingCapacity: true)
    }

    private func writeAll(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written >= 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR {
                throw Self.failure(path)
            }
        }
    }

    /// What the system just refused.
    private static func failure(_ path: String) -> FileError {
        let code = errno
        return FileError(file: path, .written, code: code)
    }
}
