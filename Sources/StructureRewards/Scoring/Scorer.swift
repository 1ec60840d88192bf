import Pipelines
import Trajectories

/// Scores groups of rollouts: outcome and structure, each step explained.
///
/// A value without state of its own beyond its caches: several workers share one and score at the same time. The same group
/// always gets the same scores.
///
///     let scorer = Scorer(composition: RewardComposition(), verifier: verifier)
///     let scored = try await scorer.score(group)
public struct Scorer: Sendable {
    public var studentDecomposer: any Decomposer
    public var teacherDecomposer: any Decomposer
    public var structureReward: StructureReward
    public var composition: RewardComposition
    public var verifier: any OutcomeVerifier

    /// - Parameters:
    ///   - teacherDecomposer: give a `DecompositionCache` if problems are visited more than once.
    public init(
        studentDecomposer: any Decomposer = RulesDecomposer(),
        teacherDecomposer: any Decomposer = DecompositionCache(RulesDecomposer()),
        structureReward: StructureReward = StructureReward(judge: MemoizedJudge(LexicalJudge())),
        composition: RewardComposition = RewardComposition(),
        verifier: any OutcomeVerifier
    ) {
        self.studentDecomposer = studentDecomposer
        self.teacherDecomposer = teacherDecomposer
        self.structureReward = structureReward
        self.composition = composition
        self.verifier = verifier
    }

    /// One scored rollout for each of the group's, in order.
    ///
    /// A path that cannot be decomposed does not throw: its reward names the failure. Throws `CancellationError`, or what the
    /// decomposers and the judge throw besides.
    public func score(_ group: RolloutGroup) async throws -> ScoredGroup {
        let problem = group.request.problem
        let teachers = composition.structure == nil ? .failure(.noTrace) : try await teachers(of: problem)
        var rollouts: [ScoredRollout] = []
        rollouts.reserveCapacity(group.rollouts.count)
        for rollout in group.rollouts {
            try Task.checkCancellation()
            let reward = try await reward(
                rollout.text, tokens: rollout.tokens.count, problem: problem, teachers: teachers)
            rollouts.append(ScoredRollout(rollout: rollout, reward: reward))
        }
        return ScoredGroup(request: group.request, rollouts: rollouts)
    }

    /// The reward of one completion.
    ///
    /// - Parameter tokens: the completion's length, for the overlong penalty.
    public func score(_ text: String, tokens: Int, for problem: Problem) async throws -> Reward {
        let teachers = composition.structure == nil ? .failure(.noTrace) : try await teachers(of: problem)
        return try await reward(text, tokens: tokens, problem: problem, teachers: teachers)
    }

    private func reward(
        _ text: String, tokens: Int, problem: Problem, teachers: Result<[LooseStructure], ScoringFailure>
    ) async throws -> Reward {
        var values = RewardComposition.Values()
        if composition.accuracy != nil { values.accuracy = verifier.isCorrect(text, for: problem) ? 1 : 0 }
        if composition.format != nil { values.format = verifier.isWellFormed(text, for: problem) ? 1 : 0 }
        if composition.tagCount != nil { values.tagCount = verifier.tagFraction(text, for: problem) }
        if composition.overlong != nil { values.overlong = composition.overlongPenalty?.value(tokens: tokens) }
        guard composition.structure != nil else { return composition.reward(values) }
        switch try await structure(of: text, problem: problem, teachers: teachers) {
        case .success(let score):
            values.structure = score.value
            return composition.reward(values, steps: score.steps)
        case .failure(let failure):
            return composition.reward(values, failure: failure.description)
        }
    }
}

extension Scorer {
    /// The teacher's traces of a problem, decomposed; those that cannot be are left out unless all are.
    func teachers(of problem: Problem) async throws -> Result<[LooseStructure], ScoringFailure> {
        guard !problem.traces.isEmpty else { return .failure(.noTrace) }
        var structures: [LooseStructure] = []
        var failure: DecompositionFailure?
        for trace in problem.traces {
            do {
                structures.append(try await decompose(trace, question: problem.question))
            } catch let error as DecompositionFailure {
                failure = failure ?? error
            }
        }
        if structures.isEmpty, let failure { return .failure(.teacher(failure)) }
        return .success(structures)
    }

    private func decompose(_ trace: TeacherTrace, question: String) async throws -> LooseStructure {
        if let structure = trace.structure { return LooseStructure(structure) }
        return try await decompose(trace.text, with: teacherDecomposer, question: question)
    }

    private func decompose(
        _ text: String, with decomposer: any Decomposer, question: String?
    ) async throws -> LooseStructure {
        StallClock.switchPhase(.decompose)
        defer { StallClock.switchPhase(.other) }
        switch structureReward.compatibility {
        case .none: return LooseStructure(try await decomposer.structure(of: text, question: question))
        case .reference: return try await decomposer.looseStructure(of: text, question: question)
        }
    }

    /// The structure score of one completion against the problem's decomposed traces.
    func structure(
        of text: String, problem: Problem, teachers: Result<[LooseStructure], ScoringFailure>
    ) async throws -> Result<StructureScore, ScoringFailure> {
        let structures: [LooseStructure]
        switch teachers {
        case .success(let decomposed): structures = decomposed
        case .failure(let failure): return .failure(failure)
        }
        do {
            let student = try await decompose(text, with: studentDecomposer, question: problem.question)
            StallClock.switchPhase(.judge)
            defer { StallClock.switchPhase(.other) }
            guard let score = try await structureReward.score(student: student, teachers: structures) else {
                return .failure(.noTrace)
            }
            return .success(score)
        } catch let failure as DecompositionFailure {
            return .failure(.student(failure))
        }
    }
}

/// Why a structure could not be scored.
public enum ScoringFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The problem has no teacher trace.
    case noTrace
    case teacher(DecompositionFailure)
    case student(DecompositionFailure)

    public var description: String {
        switch self {
        case .noTrace: "the problem has no teacher trace"
        case .teacher(let failure): "teacher: \(failure)"
        case .student(let failure): "student: \(failure)"
        }
    }
}
