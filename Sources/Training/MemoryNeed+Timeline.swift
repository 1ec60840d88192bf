import Pipelines

extension MemoryNeed {
    /// Spans of a thread for a token of the longest completion of an update, for its share of an update's micro-batches each, and for
    /// an update's own. Counted in the timelines of short runs.
    private static let spansOfToken = 12.0
    private static let spansOfPass = 8.0
    private static let spansOfUpdate = 16.0
    /// Waits of a thread for a token where threads share a step, and for an update; counted likewise.
    private static let waitsOfSharedToken = 100.0
    private static let waitsOfUpdate = 40.0
    /// Changes of depth: each group passes three queues, in and out, and a batch of demonstrations one.
    private static let depthsOfGroup = 6.0
    private static let depthsOfDemonstrations = 2.0

    /// The last phase's timeline. Writing it takes no more than a thread's part of it again, when the workers are gone.
    ///
    /// - Parameters:
    ///   - tokens: of the longest completion.
    ///   - passes: micro-batches of an update.
    ///   - sharing: threads that share a step.
    static func timeline(
        _ configuration: RunConfiguration, updates: Int, tokens: Double, passes: Int, threads: Int, sharing: Int
    ) -> Double {
        let most = Double(TraceRecorder.usualCapacity)
        func count(_ ofUpdate: Double) -> Int { Int(min(most, Double(updates) * ofUpdate)) }
        let groups = Double(configuration.reinforcement.problemsPerBatch)
        return Double(
            TraceRecorder.byteCount(
                threads: threads,
                spans: count(
                    spansOfToken * tokens + spansOfPass * (Double(passes) / Double(threads)).rounded(.up)
                        + spansOfUpdate),
                waits: count((sharing > 1 ? waitsOfSharedToken * tokens : 0) + waitsOfUpdate),
                depths: count(tokens > 0 ? depthsOfGroup * groups : depthsOfDemonstrations)))
    }
}
