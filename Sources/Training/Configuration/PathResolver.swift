import Foundation
import Yams

/// Makes the paths in a configuration file relative to its folder.
struct PathResolver {
    private static let pathKeys = [
        ["output"], ["task", "training"], ["task", "test"], ["task", "validation"], ["student", "model"],
    ]

    let folder: URL

    func resolve(_ node: Node) -> Node {
        PathResolver.pathKeys.reduce(node) { resolve($0, at: $1[...]) }
    }

    private func resolve(_ node: Node, at path: ArraySlice<String>) -> Node {
        guard let key = path.first else {
            guard case .scalar(var scalar) = node, node.null == nil, !scalar.string.hasPrefix("/") else { return node }
            scalar.string = folder.appendingPathComponent(scalar.string).standardizedFileURL.path
            return .scalar(scalar)
        }
        guard case .mapping(var mapping) = node, let child = mapping[Node(key)] else { return node }
        mapping[Node(key)] = resolve(child, at: path.dropFirst())
        return .mapping(mapping)
    }
}
