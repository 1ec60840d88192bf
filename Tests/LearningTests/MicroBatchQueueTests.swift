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

    /// Of up to so many micro-batches, the last of an update may be one that all threads share.
    @Test func everyPassMayBeShared() {
        let shape = ModelConfiguration(
            hiddenSize: 64, intermediateSize: 256, layerCount: 2, attentionHeadCount: 8, keyValueHeadCount: 8,
            vocabularySize: 512, maxPositions: 64)
        func passes(_ microBatches: Int, _ threads: Int, cores: Int = .max) -> [Int] {
            let passes = Learner.passes(microBatches: microBatches, threads: threads, cores: cores, shape)
            return [passes.count, passes.sharing]
        }
        #expect(passes(0, 4) == [0, 0])
        #expect(passes(1, 4) == [1, 4])
        #expect(passes(8, 4) == [4, 4])
        #expect(passes(9, 4) == [4, 4])
        #expect(passes(9, 1) == [1, 0])
        #expect(passes(9, 0) == [1, 0])
        // Any thread may come to a pass, though no more at once than there are cores.
        #expect(passes(9, 16, cores: 3) == [3, 16])
        #expect(passes(2, 16, cores: 3) == [2, 16])
        #expect(passes(9, 3, cores: 16) == [3, 3])
        #expect(passes(9, 16, cores: 1) == [1, 0])
        #expect(passes(0, 16, cores: 3) == [0, 0])
    }

    @Test func passesAreForThreadsThatCanRun() {
        #expect([1, 2, 16, 64].map { Learner.passThreads(threads: 16, cores: $0) } == [1, 2, 16, 16])
        #expect([0, 1, 2, 64].map { Learner.passThreads(threads: $0, cores: 2) } == [1, 1, 2, 2])
    }

    /// Each thread has a micro-batch of its own, unless weights are far beyond caches.
    @Test func largeModelsHaveFewerGradients() {
        func jobs(hiddenSize: Int) -> [Int] {
            let shape = ModelConfiguration(
                hiddenSize: hiddenSize, intermediateSize: 4 * hiddenSize, layerCount: 8, attentionHeadCount: 8,
                keyValueHeadCount: 8, vocabularySize: 512, maxPositions: 64)
            return [0, 1, 2, 8, 9, 64].map { Learner.jobs(threads: $0, shape) }
        }
        #expect(jobs(hiddenSize: 64) == [1, 1, 2, 8, 9, 64])
        #expect(jobs(hiddenSize: 1024) == [1, 1, 1, 1, 2, 8])
    }
}
