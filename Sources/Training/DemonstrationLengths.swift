import Learning
import Models
import Tasks

/// Tokens of demonstrations.
struct DemonstrationLengths: Sendable {
    /// A prompt's and a trace's token in a batch: its number; in a micro-batch: that, its position, and of the trace's tokens the
    /// target with its weight.
    private static let tokenBytes = Double(MemoryLayout<Int32>.stride)
    private static let rowBytes = 2 * tokenBytes
    private static let targetBytes = Double(MemoryLayout<TrainingBatch.Target>.stride + MemoryLayout<Float>.stride)

    /// Demonstrations whose updates are gone through one by one: what comes later is like what came before, but for longer ones.
    static let mostInOrder = 1 << 16

    /// Of each prompt with its trace, in the order in which they were given; empty where they are not known.
    private let tokens: [Int]
    private let shortest: Int
    let longest: Int
    private var meanTokens: Double
    private var meanTrace: Double
    /// The largest part of a demonstration's rows that its trace takes.
    var tracePart: Double

    /// Where nothing else is known.
    init(longest: Int) {
        (tokens, shortest, self.longest) = ([], 1, longest)
        (meanTokens, meanTrace, tracePart) = (Double(longest), Double(longest), 1)
    }

    /// Nil of none.
    init?(_ demonstrations: [Demonstration]) {
        guard !demonstrations.isEmpty else { return nil }
        let count = Double(demonstrations.count)
        tokens = demonstrations.map { $0.prompt.count + $0.completion.count }
        (shortest, longest) = (tokens.min() ?? 1, tokens.max() ?? 1)
        meanTokens = tokens.reduce(0) { $0 + Double($1) } / count
        meanTrace = demonstrations.reduce(0) { $0 + Double($1.completion.count) } / count
        // The last token has no row.
        tracePart =
            demonstrations.map {
                Double($0.completion.count) / Double(max(1, $0.prompt.count + $0.completion.count - 1))
            }.max() ?? 1
    }

    /// Rows of one: the last token has none.
    var rows: ClosedRange<Int> { max(1, shortest - 1)...max(1, longest - 1) }

    /// Rows of the demonstrations of a run's updates, or of its first ones where later ones have none that is longer; nil where they
    /// are not known.
    ///
    /// - Parameter seed: of the order in which they come; nil where that is as they were given, once.
    func updates(_ settings: ImitationConfiguration, seed: UInt64?) -> [[Int]]? {
        let size = settings.batchSize
        let updates = min(settings.steps, Self.mostInOrder / max(1, size))
        guard updates > 0, !tokens.isEmpty, seed != nil || updates * size <= tokens.count else { return nil }
        let order = seed.map { ProblemOrder(count: tokens.count, seed: $0) }
        let known = (0..<updates).map { update in
            (update * size..<(update + 1) * size).map { max(1, tokens[order?.problem(at: $0).index ?? $0] - 1) }
        }
        let areLike = updates == settings.steps || known.contains { $0.contains(rows.upperBound) }
        return areLike ? known : nil
    }

    /// Of one in a batch, in the mean.
    var meanBytes: Double {
        Double(MemoryLayout<Demonstration>.stride) + 2 * MemoryNeed.arrayBytes + Self.tokenBytes * meanTokens
    }

    /// Of one as rows of a micro-batch, in the mean.
    var meanMicroBatchBytes: Double { MemoryNeed.growing * (Self.rowBytes * meanTokens + Self.targetBytes * meanTrace) }
}
