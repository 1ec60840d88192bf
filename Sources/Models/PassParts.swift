/// How the stages of a learner's pass are cut for the threads that share it; what comes out does not depend on it.
package struct PassParts: Sendable, Hashable {
    /// Threads that are expected to share the pass. A single one has each stage whole.
    package var threads: Int

    package init(threads: Int) {
        self.threads = max(1, threads)
    }

    /// Parts are of whole tiles of every product, in rows or outputs.
    private static let tile = PackedMatrix.tileRows

    /// Parts of so many rows: two for each thread while products of a part still amortise the passage over the weights, then one,
    /// while they have a tile.
    func rowParts(_ rows: Int) -> Int { parts(rows, good: 48, least: Self.tile) }

    /// Parts of a matrix's gradient, of so many outputs, likewise: each packs the inputs anew.
    func gradientParts(_ outputs: Int) -> Int { parts(outputs, good: 96, least: 2 * Self.tile) }

    private func parts(_ count: Int, good: Int, least: Int) -> Int {
        threads == 1 ? 1 : max(1, min(2 * threads, count / good), min(threads, count / least))
    }

    /// A part of `0..<count`: all but the last end where a tile does.
    static func range(_ index: Int, of parts: Int, over count: Int) -> Range<Int> {
        func start(_ index: Int) -> Int {
            index == parts ? count : count * index / parts / tile * tile
        }
        return start(index)..<start(index + 1)
    }

    /// Parts of a span's queries. Later ones attend to more keys.
    func queryParts(_ queries: Int) -> Int {
        threads == 1 ? 1 : max(1, min(4 * threads, queries / 32))
    }
}
