/// Scores as a table for people: a row a model and test set.
package struct EvaluationTable {
    private var rows: [[String]]

    /// - Parameters:
    ///   - names: headings of the columns before the scores.
    ///   - samples: drawn of each problem: pass@8 is that of so many where they are fewer.
    package init(names: [String], samples: Int) {
        rows = [
            names + ["greedy", "pass@1", "pass@\(Self.passAtLimit(samples: samples))"]
                + ["structure", "well-formed", "problems"]
        ]
    }

    /// The k that stands for 8.
    static func passAtLimit(samples: Int) -> Int { min(8, samples) }

    package mutating func add(_ names: [String], _ scores: EvaluationResult) {
        let rates = [scores.accuracy, scores.passAt1, scores.passAt8, scores.structure, scores.wellFormed]
        rows.append(names + rates.map { TextTable.number($0) } + ["\(scores.problems)"])
    }

    package var text: String { TextTable.layOut(rows) }
}
