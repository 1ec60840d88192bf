import Foundation

extension JSONField {
    /// What a file holds.
    ///
    /// Throws `FormatError` naming the file, also where it has more bytes than `limit`, or more values than `JSONValue.mostInFile`.
    package init(contentsOf url: URL, limit: Int = InputFile.largestText) throws {
        let data = try FormatError.naming { () throws(FileError) in try InputFile.data(url, limit: limit) }
        try self.init(data, file: url.path)
    }

    /// The same; an absent file is an empty object.
    package init(fileIfPresent url: URL, limit: Int = InputFile.largestText) throws {
        guard InputFile.isPresent(url) else {
            self.init(file: url.path, value: .object([]))
            return
        }
        try self.init(contentsOf: url, limit: limit)
    }

    /// The same of a file's text.
    package init(_ data: Data, file: String) throws {
        let value = try data.withUnsafeBytes {
            try JSONValue(parsing: $0, file: file, valueLimit: JSONValue.mostInFile)
        }
        self.init(file: file, value: value)
    }
}

extension FormatError {
    /// Does what reads a file; one that cannot be read comes out as an error of this type.
    package static func naming<Result>(_ body: () throws(FileError) -> Result) throws(FormatError) -> Result {
        do {
            return try body()
        } catch {
            throw FormatError(file: error.file, field: "", reason: error.reason)
        }
    }
}
