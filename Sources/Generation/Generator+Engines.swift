import Models

extension Generator {
    /// Engines that are best served by so many threads together.
    ///
    /// Weights that stay in a core's caches are read by an engine a thread, which shares nothing with the others. Larger ones are
    /// read from memory once for a step, so few engines with large batches, whose steps the threads share, read them less
    /// often.
    public static func engines(threads: Int, configuration: ModelConfiguration) -> Int {
        let cached = 128 << 20
        guard PolicyWeights.byteCount(configuration) > cached else { return threads }
        return (threads + 7) / 8
    }

    /// The threads that share a step of one of so many engines: one where each thread has an engine of its own.
    public static func threadsSharing(engines: Int, threads: Int) -> Int {
        engines < threads ? threads : 1
    }
}
