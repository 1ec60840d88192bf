import ArgumentParser
import Generation

/// Whole numbers that options take.
enum OptionRange {
    /// Of rows, samples and tokens. More are mistakes; products of two still fit a number.
    static let largestCount = 1 << 20

    /// - Throws: `ValidationError` naming an option outside `least` to `most`.
    static func check(
        _ counts: KeyValuePairs<String, Int>, from least: Int = 1, to most: Int = largestCount
    ) throws {
        for (name, count) in counts where !(least...most).contains(count) {
            throw ValidationError("\(name) is \(count): it must be \(least) to \(most)")
        }
    }

    /// - Throws: `ValidationError`, to which the parser adds option and value.
    static func seed(_ text: String) throws -> UInt64 {
        guard let seed = UInt64(text) else { throw ValidationError("it must be 0 to \(UInt64.max)") }
        return seed
    }

    /// - Throws: `ValidationError` naming the option that is out of range, and its value as it was typed.
    static func check(temperature: WrittenNumber?, topK: Int? = nil, topP: WrittenNumber? = nil) throws {
        let names = ["temperature": "--temperature", "topK": "--top-k", "topP": "--top-p"]
        let written: KeyValuePairs = ["temperature": temperature, "topP": topP]
        for case (let field, let number?) in written where !number.isHeld {
            throw ValidationError(
                "\(names[field] ?? field) is \(number.text): that is beyond what 32-bit floats hold")
        }
        do {
            try SamplingParameters(temperature: temperature?.value ?? 1, topK: topK ?? 0, topP: topP?.value ?? 1)
                .validate()
        } catch {
            let value = written.first { $0.key == error.field }?.value?.text ?? error.value
            throw ValidationError("\(names[error.field] ?? error.field) is \(value): it must be \(error.allowed)")
        }
    }
}
