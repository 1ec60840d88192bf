extension DecodingError {
    /// The number that a decoder found and its type does not hold, as it stands in the file; nil of other errors. Foundation
    /// gives it in an error of its own, of which the text alone can be had:
    /// `numberIsNotRepresentableInSwift(parsed: "1e60")`.
    static func number(in error: any Error) -> String? {
        let parts = "\(error)".split(separator: "\"", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].hasPrefix("numberIsNotRepresentable") else { return nil }
        return String(parts[1])
    }
}
