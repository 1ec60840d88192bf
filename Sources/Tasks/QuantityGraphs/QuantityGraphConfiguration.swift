/// In which notation the teacher writes.
public enum TeacherNotation: String, Sendable, Codable, CaseIterable {
    /// One that the student has never seen.
    case own
    /// The student's: the plain case.
    case student

    public var notation: QuantityGraphNotation {
        switch self {
        case .own: .teacher
        case .student: .student
        }
    }
}

/// What quantity graphs a run is made of. Defaults are those of the built-in run.
public struct QuantityGraphConfiguration: Sendable, Hashable, Codable {
    static let moduli = [11, 13, 17, 19, 23]

    /// A prime from 11 to 23.
    public var modulus = 11
    /// K: how many definitions a problem gives, distractors among them; at most 20.
    public var definitions = 10
    /// How many letters the names of a problem are drawn from: no fewer than its definitions, at most 20.
    public var names = 12
    /// How many definitions a problem of base pre-training gives: short lists teach looking up sooner.
    public var baseDefinitions = 4...10
    /// Needed definitions in base pre-training.
    public var baseSizes = 1...4
    /// Needed definitions in training and in the tests of the same size.
    public var sizes = 4...7
    /// Needed definitions in the test of larger size.
    public var largerSizes = 8...10
    /// Probability of a digression before each step of a sloppy path.
    public var digression = 0.15
    public var teacherNotation = TeacherNotation.own
    /// Steps beyond the teacher's that a completion may take.
    public var slackSteps = 2
    public var seed: UInt64 = 0

    public init() {}

    /// Throws `QuantityGraphConfigurationError` naming the field that is impossible.
    public func validate() throws(QuantityGraphConfigurationError) {
        func check(_ isPossible: Bool, _ field: String, _ reason: String) throws(QuantityGraphConfigurationError) {
            guard isPossible else { throw QuantityGraphConfigurationError(field: field, reason: reason) }
        }
        try check(
            QuantityGraphConfiguration.moduli.contains(modulus), "modulus", "\(modulus) is not a prime from 11 to 23")
        try check(
            (1...QuantityName.count).contains(names), "names", "\(names) is not from 1 to \(QuantityName.count)")
        try check(
            (1...names).contains(definitions), "definitions",
            "\(definitions) is not from 1 to \(names), the number of names")
        for (field, range) in [("baseSizes", baseSizes), ("sizes", sizes), ("largerSizes", largerSizes)] {
            try check(
                range.lowerBound >= 1 && range.upperBound <= definitions, field,
                "\(range.lowerBound) to \(range.upperBound) is not within 1 to \(definitions), the definitions given")
        }
        try check(
            baseDefinitions.lowerBound >= baseSizes.upperBound && baseDefinitions.upperBound <= names,
            "baseDefinitions",
            "\(baseDefinitions.lowerBound) to \(baseDefinitions.upperBound) is not within \(baseSizes.upperBound), the "
                + "largest of baseSizes, to \(names), the number of names")
        try check((0...1).contains(digression), "digression", "\(digression) is not a probability")
        try check((0...1_000).contains(slackSteps), "slackSteps", "\(slackSteps) is not from 0 to 1000")
    }

    public var vocabulary: QuantityGraphVocabulary { QuantityGraphVocabulary(modulus: modulus, names: names) }
}

/// An impossible setting.
public struct QuantityGraphConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Name of the setting.
    public var field: String
    public var reason: String

    public var description: String { "\(field): \(reason)" }
}
