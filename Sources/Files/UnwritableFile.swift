import Foundation

/// A file or folder that the system would not let be written, for example because a disk is full.
package struct UnwritableFile: Error, Hashable, CustomStringConvertible {
    package var file: String
    /// In the system's words.
    package var reason: String

    package init(file: String, reason: String) {
        self.file = file
        self.reason = reason
    }

    /// - Parameter code: what `errno` said.
    package init(file: String, code: Int32) {
        self.init(file: file, reason: String(cString: strerror(code)))
    }

    package var description: String { "\(file): cannot be written: \(reason)" }

    /// Does what writes `url`; an error of the system's comes out as one of this type.
    package static func naming<Result>(_ url: URL, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error where error is CocoaError || error is POSIXError {
            throw UnwritableFile(file: url.path, reason: reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        let error = error as NSError
        if error.domain == NSPOSIXErrorDomain, let code = Int32(exactly: error.code) {
            return String(cString: strerror(code))
        }
        if let cause = error.userInfo[NSUnderlyingErrorKey] as? any Error { return reason(cause) }
        return error.localizedDescription
    }
}

extension Data {
    /// Writes beside the file first, then in its place.
    ///
    /// - Throws: `UnwritableFile`.
    package func write(inPlaceOf url: URL) throws {
        try UnwritableFile.naming(url) { try write(to: url, options: .atomic) }
    }
}
