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

    /// The threads that a step of one of so many engines has room for: one where each thread that runs has an engine of its own, or
    /// nearly, else all. A step that is cut for 16 threads takes a fifth more of their time together, more than a few idle ones
    /// have to give.
    ///
    /// - Parameters:
    ///   - threads: of the executor, any of which may come to share a step.
    ///   - running: of these, as many as run at once; all by default.
    public static func threadsSharing(engines: Int, threads: Int, running: Int? = nil) -> Int {
        8 * engines < 7 * (running ?? threads) ? threads : 1
    }
}
