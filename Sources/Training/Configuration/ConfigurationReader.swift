import Foundation
import Models
import Yams

/// Lays a YAML file and `key=value` pairs over the built-in configuration.
///
/// Keys that do not exist are errors that name the nearest key; values of the wrong kind are errors that name the key and
/// its line.
public struct ConfigurationReader {
    private var origins = ConfigurationOrigins()
    private var tree: Node

    public init() throws {
        tree = try RunConfiguration().tree()
    }

    /// - Parameter overrides: `key=value`, with dots between the names of nested keys; values are YAML.
    /// - Throws: `ConfigurationError`.
    public static func read(file: URL?, overrides: [String] = []) throws -> RunConfiguration {
        try readWithOrigins(file: file, overrides: overrides).configuration
    }

    /// The same, with where each key was set, for errors that are found later.
    ///
    /// - Throws: `ConfigurationError`.
    public static func readWithOrigins(
        file: URL?, overrides: [String] = []
    ) throws -> (configuration: RunConfiguration, origins: ConfigurationOrigins) {
        var reader = try ConfigurationReader()
        if let file {
            try reader.lay(file: file)
        }
        for override in overrides {
            try reader.lay(override: override)
        }
        return (try reader.configuration(), reader.origins)
    }

    /// The same of a text that a file holds.
    ///
    /// - Parameter source: the file, for messages; relative paths are relative to its folder.
    static func read(text: String, source: URL) throws -> RunConfiguration {
        var reader = try ConfigurationReader()
        try reader.lay(text, of: ConfigurationFile(url: source))
        return try reader.configuration()
    }

    private mutating func lay(file: URL) throws {
        let reading = ConfigurationFile(url: file)
        try lay(reading.text(), of: reading)
    }

    private mutating func lay(_ text: String, of file: ConfigurationFile) throws {
        let source = file.url.path
        guard let document = try file.document(text) else { return }
        guard case .mapping = document else {
            throw ConfigurationError(
                source: source, line: document.mark?.line, key: "", reason: "is not a mapping of keys")
        }
        let resolved = PathResolver(folder: file.folder).resolve(document)
        tree = try merge(tree, with: resolved, source: source, path: [])
    }

    private mutating func lay(override: String) throws {
        let source = ConfigurationOrigins.commandLine
        let equals = override.firstIndex(of: "=") ?? override.startIndex
        let path = override[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard !path.contains("") else {
            throw ConfigurationError(source: source, key: override, reason: "is not of the form key=value")
        }
        let text = String(override[override.index(after: equals)...])
        if let reason = ConfigurationFile.excess(text) {
            throw ConfigurationError(source: source, key: String(override[..<equals]), reason: reason)
        }
        let value: Node
        do {
            value = try Yams.compose(yaml: text) ?? .absent
        } catch {
            throw ConfigurationError(source: source, key: String(override[..<equals]), reason: "“\(text)” is not YAML")
        }
        let nested = path.reversed().reduce(value) { Node([(Node($1), $0)]) }
        let folder = URL(filePath: FileManager.default.currentDirectoryPath, directoryHint: .isDirectory)
        tree = try merge(tree, with: PathResolver(folder: folder).resolve(nested), source: source, path: [])
    }

    private mutating func merge(_ base: Node, with change: Node, source: String, path: [String]) throws -> Node {
        // Lines within a command-line value say nothing.
        func line(of node: Node) -> Int? { source == ConfigurationOrigins.commandLine ? nil : node.mark?.line }
        guard case .mapping(var known) = base else {
            let key = path.joined(separator: ".")
            origins.set(key, ConfigurationOrigins.Place(source: source, line: line(of: change)))
            var value = change
            if case .sequence = base, case .scalar(let scalar) = change {
                guard change.null == nil || RunConfiguration.ranges.contains(key) else {
                    let names = RunConfiguration.choices[key].map { " of \($0.joined(separator: ", "))" } ?? ""
                    throw ConfigurationError(
                        source: source, line: line(of: change), key: key,
                        reason: "has no value; it takes a list" + names)
                }
                let names = scalar.string.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
                value = Node(names.map { Node($0) })
            }
            guard !RunConfiguration.ranges.contains(key) || value.sequence?.count == 2 else {
                throw ConfigurationError(
                    source: source, line: line(of: change), key: key,
                    reason: "is not two whole numbers, the least and the most")
            }
            // The decoder would take an absent text or name for the word “null”.
            if let names = RunConfiguration.choices[key], value.null != nil {
                throw ConfigurationError(
                    source: source, line: line(of: change), key: key,
                    reason: "has no value; it takes \(names.joined(separator: ", "))")
            }
            guard !RunConfiguration.texts.contains(key) || value.null == nil else {
                throw ConfigurationError(
                    source: source, line: line(of: change), key: key, reason: "has no value; \"\" is the empty text")
            }
            return value
        }
        guard case .mapping(let changes) = change else {
            throw ConfigurationError(
                source: source, line: line(of: change), key: path.joined(separator: "."),
                reason: "takes keys of its own: \(known.keys.compactMap(\.string).joined(separator: ", "))")
        }
        for (keyNode, value) in changes {
            let key = keyNode.string ?? ""
            let place = (path + [key]).joined(separator: ".")
            guard let current = known[Node(key)] else {
                let nearest = NearestName.nearest(to: key, among: known.keys.compactMap(\.string))
                throw ConfigurationError(
                    source: source, line: line(of: keyNode), key: place,
                    reason: "is not a key" + (nearest.map { "; the nearest is “\($0)”" } ?? ""))
            }
            known[Node(key)] = try merge(current, with: value, source: source, path: path + [key])
        }
        return .mapping(known)
    }

    private static func isWhole(_ text: String) -> Bool {
        let digits = text.drop { $0 == "-" || $0 == "+" }
        return !digits.isEmpty && digits.allSatisfy { $0.isASCII && $0.isNumber }
    }

    private func node(at path: [String]) -> Node? { path.reduce(tree) { $0?[$1] } }

    /// What is written at a path: one value, or a list of them.
    private func text(at path: [String]) -> String? {
        let node = node(at: path)
        return node?.scalar?.string ?? node?.sequence?.compactMap(\.scalar?.string).joined(separator: ", ")
    }

    /// What is wrong with a whole number that could not be read. Of one that no `Int` holds it is what the key's own bounds say of the
    /// last one that an `Int` does hold, where the key has any.
    private func reason(_ text: String, at path: [String], of type: any FixedWidthInteger.Type) -> String {
        if let style = node(at: path)?.scalar?.style, style == .singleQuoted || style == .doubleQuoted {
            return "is “\(text)”, a text: write the number without quotes"
        }
        let last = String(text.hasPrefix("-") ? Int.min : Int.max)
        let key = path.joined(separator: ".")
        var tree = tree
        tree.set(Node(last), at: path[...])
        do {
            try YAMLDecoder().decode(RunConfiguration.self, from: tree).validate()
        } catch let error as ConfigurationError
            where (key + ".").hasPrefix(error.key + ".") && error.reason.contains(last)
        {
            return error.reason.replacingOccurrences(of: last, with: text)
        } catch {}
        return "is \(text): it must be \(DecodingError.range(of: type))"
    }

    private func configuration() throws -> RunConfiguration {
        do {
            return try YAMLDecoder().decode(RunConfiguration.self, from: tree)
        } catch let error as DecodingError {
            var (path, reason) = DecodingProblem.describe(error, found: text)
            if case .typeMismatch(let type as any FixedWidthInteger.Type, _) = error, let text = text(at: path),
                Self.isWhole(text)
            {
                reason = self.reason(text, at: path, of: type)
            }
            let key = path.joined(separator: ".")
            let origin = origins.place(of: key)
            throw ConfigurationError(
                source: origin?.source ?? ConfigurationError.configuration, line: origin?.line, key: key, reason: reason
            )
        }
    }
}

extension Node {
    fileprivate mutating func set(_ value: Node, at path: ArraySlice<String>) {
        guard let name = path.first else {
            self = value
            return
        }
        self[name]?.set(value, at: path.dropFirst())
    }
}
