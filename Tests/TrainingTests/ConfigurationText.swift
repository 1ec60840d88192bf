import Foundation
import Testing

@testable import Training

/// Reads texts as the file `run.yaml`.
enum ConfigurationText {
    static func read(_ text: String, _ overrides: String...) async throws -> RunConfiguration {
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "run.yaml")
            try Data(text.utf8).write(to: file)
            return try ConfigurationReader.read(file: file, overrides: overrides)
        }
    }

    static func error(_ text: String, _ overrides: String...) async throws -> ConfigurationError {
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "run.yaml")
            try Data(text.utf8).write(to: file)
            var error = try #require(
                #expect(throws: ConfigurationError.self) {
                    try ConfigurationReader.read(file: file, overrides: overrides)
                })
            error.source = error.source.replacing(folder.path + "/", with: "")
            return error
        }
    }
}
