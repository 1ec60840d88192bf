import TestSupport

extension SeededGenerator {
    mutating func text(_ alphabet: [String], length: ClosedRange<Int>) -> String {
        let count = Int.random(in: length, using: &self)
        return (0..<count).map { _ in alphabet.randomElement(using: &self) ?? "" }.joined()
    }
}
