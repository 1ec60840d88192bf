/// A judge that remembers its judgements: the same question is never put twice while the answer is kept.
public struct MemoizedJudge: Judge {
    /// Byte by byte, as `ContentKey`: the order in which canonically equal texts are asked for must not matter.
    private struct Key: Hashable {
        var aspect: StepAspect
        var texts: ContentKey
    }

    private let judge: any Judge
    private let judgements: OnceCache<Key, Judgement>

    /// - Parameter capacity: how many judgements are kept at most.
    public init(_ judge: any Judge, capacity: Int = 262_144) {
        self.judge = judge
        judgements = OnceCache(capacity: capacity)
    }

    public func judge(_ request: JudgementRequest) async throws -> Judgement {
        let texts = ContentKey(text: request.teacher, question: request.student)
        return try await judgements.value(for: Key(aspect: request.aspect, texts: texts)) {
            try await judge.judge(request)
        }
    }

    /// How often a judgement was there or being made, how often it was made, and how many are kept now.
    public var statistics: (hits: Int, misses: Int, count: Int) { judgements.statistics }
}
