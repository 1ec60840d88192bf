import ArgumentParser
import Foundation
import Training

/// A YAML file and `key=value` pairs, as commands take them.
enum ConfigurationArguments {
    /// The file, if the first argument is one, and the pairs.
    ///
    /// - Throws: `ValidationError` for an argument that is neither.
    static func split(_ arguments: [String]) throws -> (file: URL?, overrides: [String]) {
        var overrides = arguments
        var file: URL?
        if let first = arguments.first, !first.contains("=") {
            file = URL(filePath: first)
            overrides.removeFirst()
        }
        if let stray = overrides.first(where: { !$0.contains("=") }) {
            throw ValidationError("“\(stray)” is not of the form key=value; a file comes first")
        }
        return (file, overrides)
    }
}
