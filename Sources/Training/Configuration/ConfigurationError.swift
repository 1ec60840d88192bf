/// Something in a configuration that cannot be used.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// The source of a value that may have been set anywhere; `ConfigurationOrigins` tells where.
    static let configuration = "configuration"

    /// The file, `command line` or `configuration`.
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
