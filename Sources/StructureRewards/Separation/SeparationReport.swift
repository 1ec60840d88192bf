/// How well a reward separates correct from incorrect solutions.
///
/// The area under the ROC curve (AUC) is the probability that a correct solution has the higher reward, ties counted half: the
/// Mann-Whitney statistic. Its 95 % interval is DeLong's (DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988), in the
/// O(n log n) form of Sun and Xu (IEEE Signal Processing Letters 21, 2014), cut to 0...1.
public struct SeparationReport: Sendable, Codable, Hashable {
    public var correctCount: Int
    public var incorrectCount: Int
    /// Nil without a solution of the class.
    public var correctMean: Double?
    public var incorrectMean: Double?
    /// Nil unless both classes have a solution.
    public var areaUnderCurve: Double?
    /// Nil unless both classes have two solutions.
    public var lowerBound: Double?
    public var upperBound: Double?

    /// - Parameter rewards: finite values.
    public init(_ rewards: [(reward: Double, isCorrect: Bool)]) {
        let correct = rewards.filter(\.isCorrect).map(\.reward)
        let incorrect = rewards.filter { !$0.isCorrect }.map(\.reward)
        correctCount = correct.count
        incorrectCount = incorrect.count
        correctMean = Self.mean(correct)
        incorrectMean = Self.mean(incorrect)
        guard !correct.isEmpty, !incorrect.isEmpty else { return }
        let placements = Self.placements(correct, among: incorrect)
        let area = placements.reduce(0, +) / Double(correct.count)
        areaUnderCurve = area
        guard correct.count > 1, incorrect.count > 1 else { return }
        let opposite = Self.placements(incorrect, among: correct).map { 1 - $0 }
        let variance =
            Self.variance(placements, mean: area) / Double(correct.count)
            + Self.variance(opposite, mean: area) / Double(incorrect.count)
        let margin = 1.959_963_984_540_054 * variance.squareRoot()
        lowerBound = max(0, area - margin)
        upperBound = min(1, area + margin)
    }

    private static func mean(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }

    private static func variance(_ values: [Double], mean: Double) -> Double {
        values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
    }

    /// For each value the share of `others` below it, equal ones counted half.
    private static func placements(_ values: [Double], among others: [Double]) -> [Double] {
        let sorted = others.sorted()
        return values.map { value in
            let below = firstIndex(in: sorted) { $0 >= value }
            let notAbove = firstIndex(in: sorted) { $0 > value }
            return Double(below + notAbove) / Double(2 * sorted.count)
        }
    }

    /// The first index from which `predicate` holds; `predicate` is false and then true along `sorted`.
    private static func firstIndex(in sorted: [Double], where predicate: (Double) -> Bool) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if predicate(sorted[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
