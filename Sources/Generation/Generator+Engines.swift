import Models

extension Generator {
    /// Engines that are best served by so many threads together, for so many completions at once. All completions of a request
    /// are one engine's.
    ///
    /// An engine a thread shares nothing with the others, but reads all weights for its own completions alone. It needs enough of
    /// them to multiply for longer than it reads: few where weights stay in caches; where they come from memory the more,
    /// the more threads read. For less there are fewer engines, whose steps the threads share, and fewest where the
    /// weights are far beyond caches.
    public static func engines(threads: Int, completions: Int, requests: Int, configuration: ModelConfiguration) -> Int
    {
        let weights = PolicyWeights.byteCount(configuration)
        let completionsOfEach = weights > 32 << 20 ? max(8, 2 * threads) : 4
        let most = weights > 128 << 20 ? (threads + 7) / 8 : threads
        return max(1, min(most, completions / completionsOfEach, requests))
    }

    /// The threads that share a step of one of so many engines: one where each thread has an engine of its own, or nearly. A
    /// step that is cut for 16 threads takes a fifth more of their time together, more than a few idle ones have to give.
    public static func threadsSharing(engines: Int, threads: Int) -> Int {
        8 * engines < 7 * threads ? threads : 1
    }
}
