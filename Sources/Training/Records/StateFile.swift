import Files
import Foundation
import Models

/// Reads the JSON files that a run resumes from.
enum StateFile {
    /// What a counter may be: more than any run makes, and far from overflowing.
    static let counts = 0...1 << 48

    /// Names that these files hold.
    private static let choices = [
        "phase": RunPhase.allCases.map(\.rawValue), "finished": RunPhase.allCases.map(\.rawValue),
        "dtype": Precision.allCases.map(\.rawValue),
    ]

    static func countReason(_ count: Int) -> String { "is \(count); a count is 0 to 2^48" }

    /// Throws `ConfigurationError` naming a file and a key unless a condition holds.
    typealias Requirement = (_ holds: Bool, _ key: String, _ reason: String) throws -> Void

    static func requirement(_ file: URL) -> Requirement {
        { holds, key, reason in
            guard holds else { throw ConfigurationError(source: file.path, key: key, reason: reason) }
        }
    }

    /// - Throws: `ConfigurationError` naming the file and the field at fault.
    static func read<Value: Decodable>(_ type: Value.Type, from url: URL) throws -> Value {
        let data = try data(url)
        do {
            return try decode(type, data)
        } catch let error as UnfittingNumber {
            let key = NumberPlace(number: error.text).key(in: data) { changed in
                do {
                    _ = try decode(type, changed)
                    return nil
                } catch {
                    return (error as? UnfittingNumber)?.text
                }
            }
            let problem = "the number \(error.text), which is none that the run wrote"
            throw ConfigurationError(
                source: url.path, key: key ?? "",
                reason: key == nil ? "is damaged: it holds \(problem)" : "is \(problem)")
        } catch let error as DecodingError {
            let (path, reason) = DecodingProblem.describe(error, choices: choices)
            throw ConfigurationError(
                source: url.path, key: path.joined(separator: "."),
                reason: path.isEmpty ? "is damaged: it is not the JSON that the run wrote" : reason)
        }
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try decoder.decode(NumberNaming<Value>.self, from: data).value
    }

    /// - Throws: `ConfigurationError` naming what cannot be read, or is no file.
    static func data(_ url: URL) throws -> Data {
        do {
            return try InputFile.data(url, limit: .max)
        } catch {
            throw ConfigurationError(source: url.path, key: "", reason: error.reason)
        }
    }
}

/// A value, or `UnfittingNumber` where Foundation would throw away which number its decoder could not use.
private struct NumberNaming<Value: Decodable>: Decodable {
    var value: Value

    init(from decoder: any Decoder) throws {
        do {
            value = try Value(from: decoder)
        } catch {
            guard let text = DecodingError.number(in: error) else { throw error }
            throw UnfittingNumber(text: text)
        }
    }
}

private struct UnfittingNumber: Error {
    var text: String
}
