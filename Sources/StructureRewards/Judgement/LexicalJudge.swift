/// The same if the texts share enough words and numbers; no model.
///
/// Words are stems without function words; for meta-reasonings everyday synonyms count as one (`Concept`). With the sets T of
/// the teacher and S of the student:
/// - **meta-reasoning**: overlap |T ∩ S| / min(|T|, |S|) ≥ `metaReasoning`;
/// - **sub-problem**: `numberWeight` × (F1 of the numbers, as multisets) + (1 − `numberWeight`) × (overlap of the words) ≥
///   `subProblem`; a part that neither text has does not count;
/// - **answer**: numbers by value, where one may be the other rounded to hundredths; else F1 of the words ≥ `answer`.
///
/// Texts that `ExactJudge` takes for the same always are. The thresholds were chosen on half of GSM8K's published model solutions;
/// short formal notations, in which one letter makes the difference, are a matter for `ExactJudge`.
public struct LexicalJudge: Judge {
    /// Similarities from which two texts are the same, 0 to 1.
    public struct Thresholds: Sendable, Codable, Hashable {
        public var metaReasoning: Double
        public var subProblem: Double
        public var answer: Double
        /// Share of the numbers in the similarity of sub-problems, 0 to 1.
        public var numberWeight: Double

        public init(
            metaReasoning: Double = 0.25, subProblem: Double = 0.6, answer: Double = 0.8, numberWeight: Double = 0.9
        ) {
            self.metaReasoning = metaReasoning
            self.subProblem = subProblem
            self.answer = answer
            self.numberWeight = numberWeight
        }
    }

    public var thresholds: Thresholds

    public init(thresholds: Thresholds = Thresholds()) {
        self.thresholds = thresholds
    }

    public func judge(_ request: JudgementRequest) async throws -> Judgement {
        if ExactJudge.areEqual(request) { return Judgement(isSame: true, confidence: 1) }
        let teacher = TextUnit.all(in: request.teacher)
        let student = TextUnit.all(in: request.student)
        switch request.aspect {
        case .metaReasoning:
            let similarity = Self.overlap(ContentWords.concepts(in: teacher), ContentWords.concepts(in: student))
            return Judgement(isSame: similarity >= thresholds.metaReasoning, confidence: similarity)
        case .subProblem:
            let similarity = subProblemSimilarity(teacher, student)
            return Judgement(isSame: similarity >= thresholds.subProblem, confidence: similarity)
        case .answer:
            return answer(request, teacher, student)
        }
    }

    private func subProblemSimilarity(_ teacher: [TextUnit], _ student: [TextUnit]) -> Double {
        let numbers = (Self.numbers(in: teacher), Self.numbers(in: student))
        let words = (ContentWords.stems(in: teacher), ContentWords.stems(in: student))
        let hasNumbers = !numbers.0.isEmpty || !numbers.1.isEmpty
        let hasWords = !words.0.isEmpty || !words.1.isEmpty
        switch (hasNumbers, hasWords) {
        case (false, false): return 0
        case (true, false): return Self.balance(numbers.0, numbers.1)
        case (false, true): return Self.overlap(words.0, words.1)
        case (true, true):
            let weight = thresholds.numberWeight
            return weight * Self.balance(numbers.0, numbers.1) + (1 - weight) * Self.overlap(words.0, words.1)
        }
    }

    private func answer(_ request: JudgementRequest, _ teacher: [TextUnit], _ student: [TextUnit]) -> Judgement {
        if let teacher = Self.value(of: request.teacher, teacher),
            let student = Self.value(of: request.student, student)
        {
            let isSame = teacher.isEqualOrRounded(student)
            return Judgement(isSame: isSame, confidence: isSame ? 1 : 0)
        }
        let similarity = Self.balance(ContentWords.stems(in: teacher), ContentWords.stems(in: student))
        return Judgement(isSame: similarity >= thresholds.answer, confidence: similarity)
    }

    /// The number that an answer is, or the only one it holds ("9 eggs").
    private static func value(of text: String, _ units: [TextUnit]) -> ExactNumber? {
        if let number = ExactNumber(exactly: text) { return number }
        let numbers = Self.numbers(in: units)
        return numbers.count == 1 ? numbers[0] : nil
    }

    private static func numbers(in units: [TextUnit]) -> [ExactNumber] {
        units.compactMap { unit in
            guard case .number(let number) = unit else { return nil }
            return number
        }
    }

    /// |T ∩ S| / min(|T|, |S|) of the sets; 0 if either is empty.
    static func overlap<Element: Hashable>(_ teacher: [Element], _ student: [Element]) -> Double {
        let sets = (Set(teacher), Set(student))
        let smaller = min(sets.0.count, sets.1.count)
        return smaller == 0 ? 0 : Double(sets.0.intersection(sets.1).count) / Double(smaller)
    }

    /// F1 of the multisets: 2 |T ∩ S| / (|T| + |S|); 0 if both are empty.
    static func balance<Element: Hashable>(_ teacher: [Element], _ student: [Element]) -> Double {
        guard !teacher.isEmpty || !student.isEmpty else { return 0 }
        var counts: [Element: Int] = [:]
        for element in teacher { counts[element, default: 0] += 1 }
        var shared = 0
        for element in student {
            guard let count = counts[element], count > 0 else { continue }
            counts[element] = count - 1
            shared += 1
        }
        return 2 * Double(shared) / Double(teacher.count + student.count)
    }
}
