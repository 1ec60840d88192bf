import Trajectories

/// The structure reward (GSRM) of a student's path against one or several teacher's, with an explanation for each step.
public struct StructureReward: Sendable {
    public var judge: any Judge
    public var method: AlignmentMethod
    public var compatibility: Compatibility

    public init(judge: any Judge, method: AlignmentMethod = .prefix, compatibility: Compatibility = .none) {
        self.judge = judge
        self.method = method
        self.compatibility = compatibility
    }

    /// The best score that the student earns against any of `teachers`; the first of equals. Nil without a teacher.
    ///
    /// Throws what the judge throws.
    public func score(student: Structure, teachers: [Structure]) async throws -> StructureScore? {
        try await score(student: LooseStructure(student), teachers: teachers.map { LooseStructure($0) })
    }

    /// The same for three lists each, which only `Compatibility.reference` tells from structures.
    public func score(student: LooseStructure, teachers: [LooseStructure]) async throws -> StructureScore? {
        var best: StructureScore?
        for (index, teacher) in teachers.enumerated() {
            let score = try await score(student: student, teacher: teacher, index: index)
            if score.value > best?.value ?? -1 { best = score }
        }
        return best
    }

    private func score(student: LooseStructure, teacher: LooseStructure, index: Int) async throws -> StructureScore {
        switch method {
        case .prefix:
            let path = try await PrefixAlignment(judge: judge).align(student: student, teacher: teacher)
            let divisor: Double =
                switch compatibility {
                case .none: Double(max(path.teacherSteps, 1))
                case .reference: 1
                }
            return StructureScore(
                value: path.sum / divisor, trace: index, teacherSteps: path.teacherSteps, steps: path.steps)
        }
    }
}

/// A structure reward with its explanation.
public struct StructureScore: Sendable, Codable, Hashable {
    /// 0 to 1; with `Compatibility.reference` 0 to the number of the teacher's steps.
    public var value: Double
    /// Index of the teacher's trace that gave it.
    public var trace: Int
    /// How many steps that trace has.
    public var teacherSteps: Int
    /// One for each of the student's steps.
    public var steps: [StepExplanation]

    public init(value: Double, trace: Int, teacherSteps: Int, steps: [StepExplanation]) {
        self.value = value
        self.trace = trace
        self.teacherSteps = teacherSteps
        self.steps = steps
    }
}
