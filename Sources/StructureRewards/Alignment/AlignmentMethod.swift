/// How the student's steps are held against the teacher's.
public enum AlignmentMethod: String, Sendable, Codable, Hashable, CaseIterable {
    /// Position by position, up to the first step whose meta-reasoning addresses another problem.
    case prefix
}

/// Whether the released code of the paper is followed to the letter.
public enum Compatibility: String, Sendable, Codable, Hashable, CaseIterable {
    /// The reward is divided by the number of the teacher's steps, so that it lies between 0 and 1; a path that cannot be
    /// decomposed is a failure.
    case none
    /// Meta-reasonings, sub-problems and answers are three lists, aligned by position even when their lengths differ; the
    /// sum is not divided; a path that cannot be decomposed has reward 0.
    case reference
}
