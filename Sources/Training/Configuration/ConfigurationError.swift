/// Something in a configuration that cannot be used.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// The file, or `command line`.
    public var source: String
    public var line: Int?
    /// Dotted path of the key.
    public var key: String
    public var reason: String

    public init(source: String, line: Int? = nil, key: String, reason: String) {
        self.source = source
        self.line = line
        self.key = key
        self.reason = reason
    }

    public var description: String {
        let place = line.map { "\(source):\($0)" } ?? source
        return key.isEmpty ? "\(place): \(reason)" : "\(place): \(key): \(reason)"
    }
}
