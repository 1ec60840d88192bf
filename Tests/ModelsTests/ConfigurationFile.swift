import Foundation
import Models

/// A config.json with a text of a test's own.
enum ConfigurationFile {
    static func read(_ text: Data) throws -> ModelConfiguration {
        try HuggingFaceFixture.withDirectory { directory in
            let url = directory.appending(path: "config.json")
            try text.write(to: url)
            return try ModelConfiguration(contentsOf: url)
        }
    }
}
