/// One step of a path: look a definition up, or compute a value.
public enum QuantityAction: Sendable, Hashable {
    case open(QuantityName)
    case solve(QuantityName)

    public var name: QuantityName {
        switch self {
        case .open(let name), .solve(let name): name
        }
    }
}

extension QuantityGraph {
    /// The teacher's path: on demand, left operand first, depth first; a quantity is opened once, solved as soon as its
    /// operands are, and never opened when it is not needed. Two steps for each needed definition.
    public func teacherPath() -> [QuantityAction] {
        var opened = [Bool](repeating: false, count: QuantityName.count)
        var path: [QuantityAction] = []
        func work(on name: QuantityName) {
            // What is opened is solved by now: nothing refers to itself however far round.
            guard !opened[name.index], let definition = definition(of: name) else { return }
            opened[name.index] = true
            path.append(.open(name))
            if let left = definition.left.name { work(on: left) }
            if let right = definition.right.name { work(on: right) }
            path.append(.solve(name))
        }
        work(on: question)
        return path
    }

    /// A path of correct steps that chooses badly, for pre-training: operands in random order, and before each step, with
    /// probability `digression`, an unneeded quantity opened, and in half of those cases solved where its operands are.
    /// It still ends with the right answer.
    public func sloppyPath(digression: Double, using generator: inout SplitMixGenerator) -> [QuantityAction] {
        let needed = needed
        var distractors = definitions.map(\.name).filter { !needed.contains($0) }
        generator.shuffle(&distractors)
        var solved = Set<QuantityName>()
        var path: [QuantityAction] = []

        func digress() {
            guard generator.chance(digression), let name = distractors.popLast() else { return }
            path.append(.open(name))
            guard generator.chance(0.5), let definition = definition(of: name),
                solved.isSuperset(of: definition.operandNames)
            else { return }
            path.append(.solve(name))
            solved.insert(name)
        }
        func work(on name: QuantityName) {
            guard !solved.contains(name), let definition = definition(of: name) else { return }
            digress()
            path.append(.open(name))
            var operands = definition.operandNames
            generator.shuffle(&operands)
            operands.forEach(work)
            digress()
            path.append(.solve(name))
            solved.insert(name)
        }
        work(on: question)
        return path
    }
}
