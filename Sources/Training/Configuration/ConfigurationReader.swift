import Foundation
import Yams

/// Lays a YAML file and `key=value` pairs over the built-in configuration.
///
/// Keys that do not exist are errors that name the nearest key; values of the wrong kind are errors that name the key and
/// its line.
public struct ConfigurationReader {
    /// Where each key was set: its file or the command line, and the line.
    private var origins: [String: (source: String, line: Int?)] = [:]
    private var tree: Node

    public init() throws {
        tree = try YAMLEncoderTree.tree(of: RunConfiguration())
    }

    /// - Parameter overrides: `key=value`, with dots between the names of nested keys; values are YAML.
    /// - Throws: `ConfigurationError`.
    public static func read(file: URL?, overrides: [String] = []) throws -> RunConfiguration {
        var reader = try ConfigurationReader()
        if let file {
            try reader.lay(file: file)
        }
        for override in overrides {
            try reader.lay(override: override)
        }
        return try reader.configuration()
    }

    private mutating func lay(file: URL) throws {
        let source = file.path
        let text: String
        do {
            text = try String(contentsOf: file, encoding: .utf8)
        } catch {
            throw ConfigurationError(source: source, key: "", reason: "cannot be read as UTF-8 text")
        }
        let document: Node?
        do {
            document = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw ConfigurationError(source: source, key: "", reason: "is not YAML: \(error)")
        }
        guard let document else { return }
        guard case .mapping = document else {
            throw ConfigurationError(
                source: source, line: document.mark?.line, key: "", reason: "is not a mapping of keys")
        }
        let resolved = PathResolver(folder: file.deletingLastPathComponent()).resolve(document)
        tree = try merge(tree, with: resolved, source: source, path: [])
    }

    private mutating func lay(override: String) throws {
        let source = "command line"
        guard let equals = override.firstIndex(of: "="), equals != override.startIndex else {
            throw ConfigurationError(source: source, key: override, reason: "is not of the form key=value")
        }
        let path = override[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let text = String(override[override.index(after: equals)...])
        let value: Node
        do {
            value = try Yams.compose(yaml: text) ?? Node("null", Tag(.implicit), .plain)
        } catch {
            throw ConfigurationError(source: source, key: String(override[..<equals]), reason: "“\(text)” is not YAML")
        }
        let nested = path.reversed().reduce(value.withoutMarks) { Node([(Node($1), $0)]) }
        let folder = URL(filePath: FileManager.default.currentDirectoryPath, directoryHint: .isDirectory)
        tree = try merge(tree, with: PathResolver(folder: folder).resolve(nested), source: source, path: [])
    }

    private mutating func merge(_ base: Node, with change: Node, source: String, path: [String]) throws -> Node {
        guard case .mapping(var known) = base else {
            origins[path.joined(separator: ".")] = (source, change.mark?.line)
            if case .sequence = base, case .scalar(let scalar) = change {
                let names = scalar.string.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
                return Node(names.map { Node($0) })
            }
            return change
        }
        guard case .mapping(let changes) = change else {
            throw ConfigurationError(
                source: source, line: change.mark?.line, key: path.joined(separator: "."),
                reason: "takes keys of its own: \(known.keys.compactMap(\.string).joined(separator: ", "))")
        }
        for (keyNode, value) in changes {
            let key = keyNode.string ?? ""
            let place = (path + [key]).joined(separator: ".")
            guard let current = known[Node(key)] else {
                let nearest = NearestName.nearest(to: key, among: known.keys.compactMap(\.string))
                throw ConfigurationError(
                    source: source, line: keyNode.mark?.line, key: place,
                    reason: "is not a key" + (nearest.map { "; the nearest is “\($0)”" } ?? ""))
            }
            known[Node(key)] = try merge(current, with: value, source: source, path: path + [key])
        }
        return .mapping(known)
    }

    private func configuration() throws -> RunConfiguration {
        do {
            return try YAMLDecoder().decode(RunConfiguration.self, from: tree)
        } catch let error as DecodingError {
            let (path, reason) = DecodingProblem.describe(error)
            let origin = stride(from: path.count, through: 0, by: -1).lazy
                .compactMap { origins[path.prefix($0).joined(separator: ".")] }.first
            throw ConfigurationError(
                source: origin?.source ?? "configuration", line: origin?.line, key: path.joined(separator: "."),
                reason: reason)
        }
    }
}

/// The built-in configuration as a YAML tree in which every key is present.
private enum YAMLEncoderTree {
    static func tree(of configuration: RunConfiguration) throws -> Node {
        let text = try YAMLEncoder().encode(configuration)
        guard var node = try Yams.compose(yaml: text) else {
            throw ConfigurationError(source: "built-in", key: "", reason: "is empty")
        }
        // The encoder leaves out values that are nil.
        for path in [
            ["output"], ["task", "training"], ["task", "test"], ["student", "model"], ["reward", "alpha"],
            ["task", "fields", "answer"], ["task", "fields", "trace"], ["task", "fields", "id"],
        ] {
            node.addMissing(path)
        }
        return node
    }
}

extension Node {
    fileprivate mutating func addMissing(_ path: [String]) {
        guard let key = path.first, case .mapping(var mapping) = self else { return }
        if path.count == 1 {
            if mapping[Node(key)] == nil { mapping[Node(key)] = Node("null", Tag(.implicit), .plain) }
        } else if var child = mapping[Node(key)] {
            child.addMissing(Array(path.dropFirst()))
            mapping[Node(key)] = child
        }
        self = .mapping(mapping)
    }

    /// Lines within a command-line value say nothing.
    fileprivate var withoutMarks: Node {
        switch self {
        case .scalar(var scalar):
            scalar.mark = nil
            return .scalar(scalar)
        case .sequence(let sequence):
            return Node(sequence.map(\.withoutMarks))
        case .mapping(let mapping):
            return Node(mapping.map { ($0.key.withoutMarks, $0.value.withoutMarks) })
        case .alias:
            return self
        }
    }
}
