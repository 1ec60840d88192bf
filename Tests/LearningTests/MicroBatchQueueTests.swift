import Models
import Testing

@testable import Learning

@Suite struct MicroBatchQueueTests {
    /// The threads for each of so many micro-batches, in the order in which they are handed out.
    private func threads(_ count: Int, jobs: Int, threads: Int) -> [Int] {
        let microBatch = MicroBatch(batch: TrainingBatch(), objective: .imitation(weights: []))
        let queue = MicroBatchQueue(Array(repeating: microBatch, count: count), jobs: jobs, threads: threads)
        var result: [Int] = []
        while let (index, _, threads) = queue.claim() {
            #expect(index == result.count)
            result.append(threads)
        }
        return result
    }

    @Test func allThreadsShareWhatIsLeft() {
        #expect(threads(8, jobs: 2, threads: 2) == [1, 1, 1, 1, 1, 1, 1, 1])
        #expect(threads(5, jobs: 2, threads: 2) == [1, 1, 1, 1, 2])
        #expect(threads(8, jobs: 16, threads: 16) == [2, 2, 2, 2, 2, 2, 2, 2])
        #expect(threads(11, jobs: 8, threads: 8) == [1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3])
        #expect(threads(3, jobs: 2, threads: 16) == [8, 8, 16])
        #expect(threads(3, jobs: 1, threads: 1) == [1, 1, 1])
        #expect(threads(0, jobs: 4, threads: 4) == [])
    }

    private static func shape(hiddenSize: Int) -> ModelConfiguration {
        ModelConfiguration(
            hiddenSize: hiddenSize, intermediateSize: 4 * hiddenSize, layerCount: 8, attentionHeadCount: 8,
            keyValueHeadCount: 8, vocabularySize: 512, maxPositions: 64)
    }

    /// Of up to so many micro-batches, the last of an update may be one that all threads share.
    @Test func everyPassMayBeShared() {
        func passes(_ microBatches: Int, _ threads: Int, cores: Int = .max) -> [Int] {
            let passes = Learner.passes(
                microBatches: microBatches, threads: threads, cores: cores, Self.shape(hiddenSize: 64))
            return [passes.count, passes.members]
        }
        #expect(passes(0, 4) == [0, 0])
        #expect(passes(1, 4) == [1, 4])
        #expect(passes(8, 4) == [4, 4])
        #expect(passes(9, 4) == [4, 4])
        #expect(passes(9, 1) == [1, 1])
        #expect(passes(9, 0) == [1, 1])
        // The last one, and those that are not done yet when it begins.
        #expect(passes(9, 16, cores: 3) == [3, 5])
        #expect(passes(9, 4, cores: 3) == [3, 4])
        #expect(passes(2, 16, cores: 3) == [2, 4])
        #expect(passes(1, 16, cores: 3) == [1, 3])
        #expect(passes(9, 3, cores: 16) == [3, 3])
        #expect(passes(9, 16, cores: 1) == [1, 1])
        #expect(passes(0, 16, cores: 3) == [0, 0])
    }

    /// As many members as the queue's micro-batches have together that may be worked on at once, whichever take longest.
    @Test(arguments: [64, 1024]) func membersAtOnceAreCounted(hiddenSize: Int) {
        let shape = Self.shape(hiddenSize: hiddenSize)
        for cores in [1, 2, 3, 8, 9, 20] {
            let jobs = Learner.jobs(threads: cores, shape)
            var most = 0
            for microBatches in 1...2 * jobs {
                var claimed: [Int] = []
                for threads in threads(microBatches, jobs: jobs, threads: cores) {
                    let others = claimed.sorted(by: >).prefix(jobs - 1)
                    most = max(most, threads + others.reduce(0, +))
                    claimed.append(threads)
                }
                let stated = Learner.passes(microBatches: microBatches, threads: 1000, cores: cores, shape).members
                #expect(microBatches < 2 * jobs ? stated >= most : stated == most, "\(microBatches) on \(cores)")
            }
        }
    }

    @Test func passesAreForThreadsThatCanRun() {
        #expect([1, 2, 16, 64].map { Learner.passThreads(threads: 16, cores: $0) } == [1, 2, 16, 16])
        #expect([0, 1, 2, 64].map { Learner.passThreads(threads: $0, cores: 2) } == [1, 1, 2, 2])
    }

    /// Each thread has a micro-batch of its own, unless weights are far beyond caches.
    @Test func largeModelsHaveFewerGradients() {
        func jobs(hiddenSize: Int) -> [Int] {
            [0, 1, 2, 8, 9, 64].map { Learner.jobs(threads: $0, Self.shape(hiddenSize: hiddenSize)) }
        }
        #expect(jobs(hiddenSize: 64) == [1, 1, 2, 8, 9, 64])
        #expect(jobs(hiddenSize: 1024) == [1, 1, 1, 1, 2, 8])
    }
}
