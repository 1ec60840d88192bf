import TestSupport
import Testing

@testable import Models

@Suite struct SpanFamiliesTests {
    /// Completions of several prompts in any order: each family has its own, in theirs.
    @Test func everySpanIsInTheFamilyOfItsPrompt() {
        var random = SeededGenerator(seed: 6)
        var families = SpanFamilies()
        for _ in 0..<100 {
            var batch = TrainingBatch()
            var expected: [[Int]] = []
            for _ in 0..<Int.random(in: 0...20, using: &random) {
                if let family = expected.indices.randomElement(using: &random), Bool.random(using: &random) {
                    expected[family].append(batch.append(tokens: [1], after: expected[family][0]))
                } else {
                    expected.append([batch.append(tokens: [1, 2])])
                }
            }
            families.prepare(batch)
            let found = families.first.indices.map { family in
                var spans: [Int] = []
                families.forEach(family) { spans.append($0) }
                return spans
            }
            #expect(found == expected)
        }
    }
}
