/// Which problems a graph may belong to. Splits share no graph, under any renaming of its quantities.
public enum DataSplit: String, Sendable, Codable, CaseIterable {
    case training, validation, test
}

extension QuantityGraph {
    /// What the question needs, with quantities numbered in the order in which the teacher meets them: equal for two
    /// graphs just when one's needed part is the other's renamed. Distractors and the order of definitions do not enter,
    /// so graphs that differ only there stay in one split too.
    public var canonicalKey: String {
        var numbers: [QuantityName: Int] = [:]
        var key = "\(modulus)"
        func visit(_ name: QuantityName) {
            guard numbers[name] == nil, let definition = definition(of: name) else { return }
            numbers[name] = numbers.count
            definition.operandNames.forEach(visit)
        }
        func canonical(_ operand: QuantityOperand) -> String {
            operand.name.map { "q\(numbers[$0] ?? 0)" } ?? operand.description
        }
        visit(question)
        for (name, _) in numbers.sorted(by: { $0.value < $1.value }) {
            guard let definition = definition(of: name) else { continue }
            key += "|\(canonical(definition.left))\(definition.operation)\(canonical(definition.right))"
        }
        return key
    }

    /// Decided by the canonical key's hash: 8 parts of 10 training, 1 validation, 1 test.
    public var split: DataSplit {
        let hash = canonicalKey.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return switch SplitMixGenerator.mix(hash) % 10 {
        case 8: .validation
        case 9: .test
        default: .training
        }
    }
}
