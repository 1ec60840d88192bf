import Foundation

/// The development data beside the project, which some machines do not have.
enum SharedData {
    /// Nil where it is absent.
    static let folder: URL? = {
        var place = URL(fileURLWithPath: #filePath)
        while place.path != "/" {
            place.deleteLastPathComponent()
            let folder = place.appendingPathComponent("shared/data")
            if FileManager.default.fileExists(atPath: folder.path) { return folder }
        }
        return nil
    }()

    static var isPresent: Bool { folder != nil }

    static func path(_ name: String) -> String {
        folder?.appendingPathComponent(name).path ?? name
    }
}
