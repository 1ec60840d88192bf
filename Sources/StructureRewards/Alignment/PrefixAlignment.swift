import Trajectories

/// The reference alignment of RLKD (arXiv 2505.16142, and its released code).
///
/// For i < min(nₛ, nₜ): rᵢ = 1 if both meta-reasonings address the same problem, else 0 and so are all later; × 0.5 if the
/// sub-problems differ; × 0.5 if the answers differ. The sum Σ rᵢ is not divided here.
struct PrefixAlignment: Sendable {
    var judge: any Judge

    /// Σ rᵢ, with one explanation for each of the student's steps.
    ///
    /// Where only one side has a sub-problem or an answer at position i, nothing is compared and nothing is taken off: that is
    /// how the released code treats lists of different lengths. Lists from a `Structure` never differ so.
    func align(student: LooseStructure, teacher: LooseStructure) async throws -> AlignedPath {
        var steps: [StepExplanation] = []
        steps.reserveCapacity(student.metaReasonings.count)
        var firstMismatch: Int?
        for index in student.metaReasonings.indices {
            guard index < teacher.metaReasonings.count, firstMismatch == nil else {
                steps.append(Self.unaligned(index, of: teacher.metaReasonings.count, firstMismatch: firstMismatch))
                continue
            }
            let isSame = try await judge.judge(
                JudgementRequest(
                    aspect: .metaReasoning, teacher: teacher.metaReasonings[index],
                    student: student.metaReasonings[index])
            ).isSame
            guard isSame else {
                firstMismatch = index
                steps.append(Self.mismatch(index, teacher: teacher.metaReasonings[index]))
                continue
            }
            let subProblem = try await compare(.subProblem, \.subProblems, at: index, student, teacher)
            let answer = try await compare(.answer, \.answers, at: index, student, teacher)
            steps.append(Self.match(index, subProblem: subProblem, answer: answer))
        }
        return AlignedPath(
            sum: steps.reduce(0) { $0 + $1.reward }, teacherSteps: teacher.metaReasonings.count, steps: steps)
    }

    private func compare(
        _ aspect: StepAspect, _ list: KeyPath<LooseStructure, [String]> & Sendable, at index: Int,
        _ student: LooseStructure, _ teacher: LooseStructure
    ) async throws -> PartComparison {
        guard index < student[keyPath: list].count, index < teacher[keyPath: list].count else { return .absent }
        let request = JudgementRequest(
            aspect: aspect, teacher: teacher[keyPath: list][index], student: student[keyPath: list][index])
        return try await judge.judge(request).isSame ? .same : .different(request)
    }

    private static func unaligned(_ index: Int, of teacherSteps: Int, firstMismatch: Int?) -> StepExplanation {
        let note =
            if let firstMismatch {
                "Earns nothing, because step \(firstMismatch + 1) already addresses another problem than the teacher's."
            } else {
                "Earns nothing: the teacher has only \(teacherSteps) \(teacherSteps == 1 ? "step" : "steps")."
            }
        return StepExplanation(
            step: index, teacherStep: index < teacherSteps ? index : nil, sameMetaReasoning: false,
            sameSubProblem: false, sameAnswer: false, reward: 0, note: note)
    }

    private static func mismatch(_ index: Int, teacher: String) -> StepExplanation {
        StepExplanation(
            step: index, teacherStep: index, sameMetaReasoning: false, sameSubProblem: false, sameAnswer: false,
            reward: 0,
            note:
                "Earns nothing: it addresses another problem than the teacher's step \(index + 1), “\(teacher.excerpt)”."
        )
    }

    private static func match(_ index: Int, subProblem: PartComparison, answer: PartComparison) -> StepExplanation {
        StepExplanation(
            step: index, teacherStep: index, sameMetaReasoning: true, sameSubProblem: subProblem.isSame,
            sameAnswer: answer.isSame, reward: subProblem.factor * answer.factor,
            note: "Addresses the same problem as the teacher's step \(index + 1); "
                + "\(subProblem.phrase("sub-problem")), \(answer.phrase("answer")).")
    }
}

/// The sum that a student's path earned against one teacher's, and why.
struct AlignedPath: Sendable {
    /// Σ rᵢ.
    var sum: Double
    var teacherSteps: Int
    /// One for each of the student's steps.
    var steps: [StepExplanation]
}

/// How a sub-problem or an answer compares with the teacher's.
private enum PartComparison {
    case same
    case different(JudgementRequest)
    /// One side has none at this position.
    case absent

    var isSame: Bool {
        if case .same = self { true } else { false }
    }

    var factor: Double {
        if case .different = self { 0.5 } else { 1 }
    }

    func phrase(_ part: String) -> String {
        switch self {
        case .same: "same \(part)"
        case .absent: "no \(part) to compare"
        case .different(let request):
            "another \(part) (“\(request.student.excerpt)” against “\(request.teacher.excerpt)”, × 0.5)"
        }
    }
}

extension String {
    /// The first words, for a message.
    var excerpt: String {
        let line = String(map { $0.isNewline ? " " : $0 })
        return line.count <= 60 ? line : line.prefix(59) + "…"
    }
}
