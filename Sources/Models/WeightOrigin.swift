/// Where a model's weights come from: the vector that `ParameterLayout` describes, a stretch at a time.
protocol WeightOrigin: Sendable {
    associatedtype Failure: Error

    var configuration: ModelConfiguration { get }
    var layout: ParameterLayout { get }
    /// What holds the embedding without loss.
    var embeddingFormat: EmbeddingFormat { get }
    /// Whether `values` leaves its buffer alone, since the whole vector stands in memory.
    static var isInMemory: Bool { get }

    /// The floats of `range`, a stretch of whole rows: where they stand, or in `buffer`, which has room for them.
    func values(
        _ range: Range<Int>, buffer: UnsafeMutablePointer<Float>
    ) throws(Failure) -> UnsafePointer<Float>
}

extension Parameters: WeightOrigin {
    var embeddingFormat: EmbeddingFormat { .float32 }
    static var isInMemory: Bool { true }

    func values(_ range: Range<Int>, buffer: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
        UnsafePointer(pointer + range.lowerBound)
    }
}

extension ParameterLayout {
    /// Calls `body` with each tensor that the stretch touches and the elements of the tensor that it takes, in order.
    func forEachPart<Failure: Error>(
        of range: Range<Int>, _ body: (_ entry: Int, _ elements: Range<Int>) throws(Failure) -> Void
    ) throws(Failure) {
        var index = firstEntry(endingAfter: range.lowerBound)
        while index < entries.count, entries[index].offset < range.upperBound {
            let (offset, count) = (entries[index].offset, entries[index].count)
            let elements = max(0, range.lowerBound - offset)..<min(count, range.upperBound - offset)
            try body(index, elements)
            index += 1
        }
    }

    private func firstEntry(endingAfter offset: Int) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].offset + entries[middle].count > offset {
                high = middle
            } else {
                low = middle + 1
            }
        }
        return low
    }
}
