import ArgumentParser
import Generation

/// Whole numbers that options take.
enum OptionRange {
    /// Of rows, samples and tokens. More are mistakes; products of two still fit a number.
    static let largestCount = 1 << 20

    /// - Throws: `ValidationError` naming an option outside `least` to `largestCount`.
    static func check(_ counts: KeyValuePairs<String, Int>, from least: Int = 1) throws {
        for (name, count) in counts where !(least...largestCount).contains(count) {
            throw ValidationError("\(name) is \(count): it must be \(least) to \(largestCount)")
        }
    }

    /// - Throws: `ValidationError`, to which the parser adds option and value.
    static func seed(_ text: String) throws -> UInt64 {
        guard let seed = UInt64(text) else { throw ValidationError("it must be 0 to \(UInt64.max)") }
        return seed
    }

    /// - Throws: `ValidationError` naming the option that is out of range.
    static func check(_ sampling: SamplingParameters) throws {
        do {
            try sampling.validate()
        } catch {
            let names = ["temperature": "--temperature", "topK": "--top-k", "topP": "--top-p"]
            throw ValidationError("\(names[error.field] ?? error.field) is \(error.value): it must be \(error.allowed)")
        }
    }
}
