extension QuantityGraph {
    /// Draws a graph whose question needs exactly `size` definitions, out of `definitions` in all.
    ///
    /// Needed quantities are numbered from the question, 0, downwards, and refer only to greater numbers. A distractor
    /// refers to any needed quantity, the question too, and to distractors drawn before it.
    ///
    /// - Parameter names: how many letters of the alphabet the names are drawn from.
    /// - Precondition: 1 ≤ size ≤ definitions ≤ names ≤ 20, as `QuantityGraphConfiguration.validate()` makes sure.
    public static func random(
        size: Int, definitions: Int, names nameCount: Int = QuantityName.count, modulus: Int,
        using generator: inout SplitMixGenerator
    ) -> QuantityGraph {
        precondition(
            1 <= size && size <= definitions && definitions <= nameCount && nameCount <= QuantityName.count,
            "sizes are validated")
        var names = Array(QuantityName.all.prefix(nameCount))
        generator.shuffle(&names)

        func definition(_ index: Int, _ operands: (Int, Int)?) -> QuantityDefinition {
            let operation = QuantityOperator.allCases[generator.index(below: QuantityOperator.allCases.count)]
            guard let operands else {
                return QuantityDefinition(
                    name: names[index], left: .constant(generator.index(below: modulus)), operation: operation,
                    right: .constant(generator.index(below: modulus)))
            }
            let swapped = generator.chance(0.5)
            return QuantityDefinition(
                name: names[index], left: .name(names[swapped ? operands.1 : operands.0]), operation: operation,
                right: .name(names[swapped ? operands.0 : operands.1]))
        }

        var result: [QuantityDefinition] = []
        var known = 1
        for index in 0..<size {
            let operands = neededOperands(index, known: &known, size: size, using: &generator)
            result.append(definition(index, operands))
        }
        for index in size..<definitions {
            let isLeaf = index < 2 || generator.chance(0.5)
            result.append(definition(index, isLeaf ? nil : pair(in: 0..<index, using: &generator)))
        }
        generator.shuffle(&result)
        return QuantityGraph(valid: result, modulus: modulus, question: names[0])
    }

    /// What needed quantity `index` refers to; nil for a leaf. `known` counts the quantities that something already needs.
    private static func neededOperands(
        _ index: Int, known: inout Int, size: Int, using generator: inout SplitMixGenerator
    ) -> (Int, Int)? {
        let others = known - index - 1
        let missing = size - known
        if missing == 0 {
            return others >= 2 && generator.chance(0.2) ? pair(in: index + 1..<known, using: &generator) : nil
        }
        // A leaf must leave somebody to need the missing ones; one left alone with one missing would have to use it twice.
        let mayBeLeaf = others >= 2 || (others == 1 && missing != 1)
        if mayBeLeaf && generator.chance(0.35) { return nil }

        let first = known
        known += 1
        let mayShare = others >= 1
        if missing >= 2 && (!mayShare || generator.chance(0.7)) {
            known += 1
            return (first, first + 1)
        }
        // Only a graph of two definitions has nothing else to refer to: its question uses the one leaf twice.
        return (first, mayShare ? index + 1 + generator.index(below: others) : first)
    }

    /// Two different numbers of the range.
    private static func pair(in range: Range<Int>, using generator: inout SplitMixGenerator) -> (Int, Int) {
        let first = generator.index(below: range.count)
        let second = (first + 1 + generator.index(below: range.count - 1)) % range.count
        return (range.lowerBound + first, range.lowerBound + second)
    }
}
