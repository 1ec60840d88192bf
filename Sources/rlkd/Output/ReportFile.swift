import Files
import Foundation
import Tasks

/// A file that a command writes beside standard output.
struct ReportFile {
    private enum Place {
        /// A file that is replaced when it is whole.
        case file
        /// A device, a pipe or a symbolic link, which stays and is written to.
        case stream
    }

    let url: URL
    private let place: Place

    /// - Parameter inputs: files that the command reads, and may not overwrite.
    /// - Throws: `MalformedInput` where it could not be written, before any work is done.
    init(_ path: String, inputs: [String] = []) throws(MalformedInput) {
        url = URL(fileURLWithPath: path)
        var status = stat()
        var link = stat()
        let isThere = stat(path, &status) == 0
        let code = errno
        let isLink = lstat(path, &link) == 0 && link.st_mode & S_IFMT == S_IFLNK
        let kind = status.st_mode & S_IFMT
        place = isLink || (isThere && kind != S_IFREG) ? .stream : .file
        guard isThere || code == ENOENT else {
            throw MalformedInput(file: path, problem: "cannot be written: \(String(cString: strerror(code)))")
        }
        guard !isThere || kind != S_IFDIR else { throw MalformedInput(file: path, problem: "is a folder") }
        guard !isThere || access(path, W_OK) == 0 else {
            throw MalformedInput(file: path, problem: "cannot be written: \(String(cString: strerror(errno)))")
        }
        if place == .file {
            let folder = url.deletingLastPathComponent().path
            var isFolder: ObjCBool = false
            let manager = FileManager.default
            guard manager.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue,
                manager.isWritableFile(atPath: folder)
            else {
                throw MalformedInput(
                    file: path, problem: "cannot be written: is \(folder) a folder, and yours to write in?")
            }
        }
        for input in inputs where isThere && kind != S_IFCHR {
            var other = stat()
            guard stat(input, &other) != 0 || other.st_dev != status.st_dev || other.st_ino != status.st_ino else {
                throw MalformedInput(file: path, problem: "is what the command reads; the report would take its place")
            }
        }
    }

    /// - Throws: `FileError`.
    func write(_ value: some Encodable) throws {
        let data = try JSONLine.encodeIndented(value)
        guard place == .stream else { return try data.write(inPlaceOf: url) }
        let descriptor = open(url.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            let code = errno
            throw FileError(file: url.path, .written, code: code)
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try FileError.writing(url) { try handle.write(contentsOf: data) }
    }
}
