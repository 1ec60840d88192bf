import Models
import Synchronization

/// Hands out a step's micro-batches, each once, in order, with the threads that can share it.
final class MicroBatchQueue: Sendable {
    private let microBatches: [MicroBatch]
    private let jobs: Int
    private let threads: Int
    private let next = Atomic<Int>(0)

    /// - Parameters:
    ///   - jobs: micro-batches that are worked on at once.
    ///   - threads: that all of them together are cut for.
    init(_ microBatches: [MicroBatch], jobs: Int, threads: Int) {
        self.microBatches = microBatches
        self.jobs = max(1, jobs)
        self.threads = threads
    }

    func claim() -> (index: Int, microBatch: MicroBatch, threads: Int)? {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < microBatches.count else { return nil }
        return (index, microBatches[index], threads(at: index))
    }

    /// The last micro-batches, too few for one each, are shared by all threads evenly; so is each where there are fewer jobs than
    /// threads.
    private func threads(at index: Int) -> Int {
        let rest = microBatches.count % jobs
        return Self.share(of: threads, among: index < microBatches.count - rest ? jobs : rest)
    }

    /// Rounded up: whoever is done first lends its threads to the others.
    static func share(of threads: Int, among together: Int) -> Int { (threads + together - 1) / together }
}

extension Learner {
    /// The threads that passes are made for and cut for, of those that there are: no more than can run. Others would hold the
    /// memory of a pass each, take turns at the cores, and keep those who share a pass waiting; they have the other stages' work.
    package static func passThreads(threads: Int, cores: Int) -> Int { max(1, min(threads, cores)) }

    /// Micro-batches that so many threads work on at once, at most: each has a gradient and a pass's activations in memory. One a
    /// thread; but weights far beyond caches are better read for several threads at once.
    ///
    /// - Parameter threads: those that passes are made for.
    package static func jobs(threads: Int, _ configuration: ModelConfiguration) -> Int {
        max(1, PolicyWeights.byteCount(configuration) > 128 << 20 ? (threads + 7) / 8 : threads)
    }

    /// Passes that there are at once in updates of up to so many micro-batches, and threads that are members of some at once: any
    /// number of micro-batches may leave the last ones to share, which begin beside others that are not done yet.
    ///
    /// - Parameter cores: that the threads run on.
    package static func passes(
        microBatches: Int, threads: Int, cores: Int, _ configuration: ModelConfiguration
    ) -> (count: Int, members: Int) {
        let running = passThreads(threads: threads, cores: cores)
        let jobs = jobs(threads: running, configuration)
        let count = min(jobs, microBatches)
        guard count > 0 else { return (0, 0) }
        let others = microBatches > jobs ? MicroBatchQueue.share(of: running, among: jobs) : 0
        let members = (1...count).map { last in
            last * MicroBatchQueue.share(of: running, among: last) + (jobs - last) * others
        }
        return (count, min(max(1, threads), members.max() ?? 0))
    }
}
