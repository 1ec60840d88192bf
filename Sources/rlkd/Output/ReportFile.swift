import Foundation
import Tasks

/// A file that a command writes beside standard output.
struct ReportFile {
    let url: URL

    /// - Throws: `MalformedInput` where it could not be written, before any work is done.
    init(_ path: String) throws(MalformedInput) {
        url = URL(fileURLWithPath: path)
        let folder = url.deletingLastPathComponent().path
        var isFolder: ObjCBool = false
        let manager = FileManager.default
        guard manager.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue,
            manager.isWritableFile(atPath: folder)
        else {
            throw MalformedInput(
                file: path, problem: "cannot be written: is \(folder) a folder, and yours to write in?")
        }
        guard !manager.fileExists(atPath: path, isDirectory: &isFolder) || !isFolder.boolValue else {
            throw MalformedInput(file: path, problem: "is a folder")
        }
    }

    func write(_ value: some Encodable) throws {
        try JSONLine.encodeIndented(value).write(to: url, options: .atomic)
    }
}
