/// Where each key of a configuration was set, so that a value found impossible later can be named with its file and line.
///
///     let (configuration, origins) = try ConfigurationReader.readWithOrigins(file: file, overrides: overrides)
///     try await origins.locating { try configuration.validate() }
public struct ConfigurationOrigins: Sendable {
    struct Place: Sendable {
        /// The file, or `command line`.
        var source: String
        var line: Int?
    }

    static let commandLine = "command line"

    private var places: [String: Place] = [:]

    mutating func set(_ key: String, _ place: Place) {
        places[key] = place
    }

    /// For keys that an option of a command sets.
    public mutating func setByOption(_ key: String) {
        places[key] = Place(source: Self.commandLine)
    }

    /// Of the key, or of the nearest that holds it; nil where the built-in value stands.
    func place(of key: String) -> Place? {
        let path = key.split(separator: ".")
        return stride(from: path.count, through: 1, by: -1).lazy
            .compactMap { places[path.prefix($0).joined(separator: ".")] }.first
    }

    /// Runs `body`; an error of it that blames a value of the configuration blames the place that set the value.
    public func locating<Result>(_ body: () async throws -> Result) async throws -> Result {
        do { return try await body() } catch { throw located(error) }
    }

    private func located(_ error: any Error) -> any Error {
        switch error {
        case var error as ConfigurationError where error.source == ConfigurationError.configuration:
            guard let place = place(of: error.key) else { return error }
            error.source = place.source
            error.line = place.line
            return error
        case let error as InsufficientMemory:
            guard case .key(let key, let value) = error.cause, let place = place(of: key) else { return error }
            return ConfigurationError(
                source: place.source, line: place.line, key: key, reason: "is \(value): \(error.reason)")
        default:
            return error
        }
    }
}
