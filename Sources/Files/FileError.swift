import Foundation

/// A file or folder that cannot be read or written: it is not there, is none, or the system refuses, for example because a disk is
/// full.
package struct FileError: Error, Hashable, CustomStringConvertible {
    /// What was to be done with the file.
    package enum Access: String, Sendable {
        case read, written
    }

    package var file: String
    /// What is wrong, with what was to be done.
    package var reason: String

    package init(file: String, reason: String) {
        self.file = file
        self.reason = reason
    }

    /// - Parameter code: what `errno` said.
    package init(file: String, _ access: Access, code: Int32) {
        self.init(file: file, access, words: String(cString: strerror(code)))
    }

    /// - Parameter error: the system's, or Foundation's around it.
    package init(file: String, _ access: Access, _ error: any Error) {
        self.init(file: file, access, words: Self.words(error))
    }

    private init(file: String, _ access: Access, words: String) {
        self.init(file: file, reason: "cannot be \(access.rawValue): \(words)")
    }

    package var description: String { "\(file): \(reason)" }

    /// In the system's words, where it has any: Foundation prints errors over several lines.
    private static func words(_ error: any Error) -> String {
        let error = error as NSError
        if error.domain == NSPOSIXErrorDomain, let code = Int32(exactly: error.code) {
            return String(cString: strerror(code))
        }
        if let cause = error.userInfo[NSUnderlyingErrorKey] as? any Error { return words(cause) }
        return error.localizedDescription
    }

    /// Does what writes `url`; an error of the system's comes out as one of this type.
    package static func writing<Result>(_ url: URL, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error where error is CocoaError || error is POSIXError {
            throw FileError(file: url.path, .written, error)
        }
    }
}

extension Data {
    /// Writes beside the file first, then in its place.
    ///
    /// - Throws: `FileError`.
    package func write(inPlaceOf url: URL) throws {
        try FileError.writing(url) { try write(to: url, options: .atomic) }
    }
}
