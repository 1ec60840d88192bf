import Foundation

/// The development data beside the project, which some machines do not have.
package enum SharedData {
    /// `../shared/data` from the package's root.
    private static let place = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "../../../shared/data").standardizedFileURL

    /// Nil where it is absent.
    package static let folder: URL? = FileManager.default.fileExists(atPath: place.path) ? place : nil

    package static var isPresent: Bool { folder != nil }

    package static func path(_ name: String) -> String {
        folder?.appendingPathComponent(name).path ?? name
    }

    /// The rows of a JSON Lines file.
    package static func rows<Row: Decodable>(_ type: Row.Type, _ name: String) throws -> [Row] {
        let text = try String(contentsOfFile: path(name), encoding: .utf8)
        return try text.split(separator: "\n").map { try JSONDecoder().decode(type, from: Data($0.utf8)) }
    }
}
