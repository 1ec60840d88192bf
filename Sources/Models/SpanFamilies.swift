/// The spans of a training batch by the prompt that they share: a span without a prefix, and those that continue it.
struct SpanFamilies {
    /// The spans that begin a sequence.
    private(set) var first: [Int] = []
    /// For each span, the family's next, and while families are made the last so far.
    private var following: [Int?] = []
    private var last: [Int] = []

    mutating func prepare(_ batch: TrainingBatch) {
        first.removeAll(keepingCapacity: true)
        following.removeAll(keepingCapacity: true)
        last.removeAll(keepingCapacity: true)
        for (index, span) in batch.spans.enumerated() {
            following.append(nil)
            last.append(index)
            if let prefix = span.prefix {
                following[last[prefix]] = index
                last[prefix] = index
            } else {
                first.append(index)
            }
        }
    }

    /// Calls `body` with a family's spans in their order.
    func forEach(_ family: Int, _ body: (Int) -> Void) {
        var span: Int? = first[family]
        while let index = span {
            body(index)
            span = following[index]
        }
    }
}
