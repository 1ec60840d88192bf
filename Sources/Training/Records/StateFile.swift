import Foundation

/// Reads the JSON files that a run resumes from.
enum StateFile {
    /// - Throws: `ConfigurationError` naming the file and the field at fault.
    static func read<Value: Decodable>(_ type: Value.Type, from url: URL) throws -> Value {
        let data: Data
        do {
            data = try Data(contentsOf: url)
        } catch {
            throw ConfigurationError(source: url.path, key: "", reason: "cannot be read: \(error.localizedDescription)")
        }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            return try decoder.decode(type, from: data)
        } catch let error as DecodingError {
            let (path, reason) = DecodingProblem.describe(error)
            throw ConfigurationError(
                source: url.path, key: path.joined(separator: "."),
                reason: path.isEmpty ? "is damaged: it is not the JSON that the run wrote" : reason)
        }
    }
}
