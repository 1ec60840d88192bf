import Yams

extension RunConfiguration {
    /// As YAML with every key present, so that `ConfigurationReader` reads it as it is whatever the defaults are.
    public func yaml() throws -> String {
        try Yams.serialize(node: tree())
    }

    func tree() throws -> Node {
        guard var node = try Yams.compose(yaml: try YAMLEncoder().encode(self)) else {
            throw ConfigurationError(source: ConfigurationError.configuration, key: "", reason: "is empty")
        }
        // The encoder leaves out values that are nil.
        for path in [
            ["output"], ["task", "training"], ["task", "test"], ["task", "validation"], ["student", "model"],
            ["reward", "alpha"],
            ["task", "fields", "answer"], ["task", "fields", "trace"], ["task", "fields", "id"],
        ] {
            node.addMissing(path)
        }
        return node
    }
}

extension Node {
    /// An absent value, as `null`.
    static var absent: Node { Node("null", Tag(.implicit), .plain) }

    fileprivate mutating func addMissing(_ path: [String]) {
        guard let key = path.first, case .mapping(var mapping) = self else { return }
        if path.count == 1 {
            if mapping[Node(key)] == nil { mapping[Node(key)] = .absent }
        } else if var child = mapping[Node(key)] {
            child.addMissing(Array(path.dropFirst()))
            mapping[Node(key)] = child
        }
        self = .mapping(mapping)
    }
}
