import Foundation

extension JSONField {
    /// What a file holds; an absent one is an empty object.
    ///
    /// Throws `FormatError` naming the file.
    package init(fileIfPresent url: URL) throws {
        guard FileManager.default.fileExists(atPath: url.path) else {
            self.init(file: url.path, value: .object([]))
            return
        }
        let data: Data
        do {
            data = try Data(contentsOf: url)
        } catch {
            throw FormatError(file: url.path, field: "", reason: "cannot be read: \(error.localizedDescription)")
        }
        self.init(file: url.path, value: try data.withUnsafeBytes { try JSONValue(parsing: $0, file: url.path) })
    }
}
