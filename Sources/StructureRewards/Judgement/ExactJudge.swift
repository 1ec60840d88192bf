/// The same if equal once normalised: case, white space and punctuation do not matter, word endings neither; numbers are
/// compared as exact rationals ("9", "9.0", "$9" and "18/2" are equal as answers), and two empty texts are the same.
public struct ExactJudge: Judge {
    public init() {}

    public func judge(_ request: JudgementRequest) async throws -> Judgement {
        let isSame = Self.areEqual(request)
        return Judgement(isSame: isSame, confidence: isSame ? 1 : 0)
    }

    static func areEqual(_ request: JudgementRequest) -> Bool {
        if request.teacher == request.student { return true }
        if request.aspect == .answer {
            let numbers = (ExactNumber(exactly: request.teacher), ExactNumber(exactly: request.student))
            if let teacher = numbers.0, let student = numbers.1 { return teacher == student }
        }
        let units = (TextUnit.all(in: request.teacher), TextUnit.all(in: request.student))
        guard !units.0.isEmpty || !units.1.isEmpty else {
            return request.teacher.filter { !$0.isWhitespace } == request.student.filter { !$0.isWhitespace }
        }
        return units.0 == units.1
    }
}
