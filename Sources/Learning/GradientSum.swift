import Kernels
import Memory
import Models

/// Adds gradients in the order of their micro-batches, whatever order they are ready in.
actor GradientSum {
    // Only this actor touches the memory between the start and the end of a step; the learner owns it and awaits the step. `add`
    // does not suspend while its slices, each of a range of its own, are written, and ends after them.
    private nonisolated(unsafe) let total: UnsafeMutablePointer<Float>
    private let count: Int
    private let slices: SliceLoop
    private var next = 0
    private var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    private(set) var outcome = GradientJob.Outcome()

    /// - Parameter total: of any content, which the first gradient replaces.
    init(into total: UnsafeMutablePointer<Float>, count: Int, slices: SliceLoop) {
        self.total = total
        self.count = count
        self.slices = slices
    }

    /// Returns once the gradient is added; its memory is the caller's again.
    func add(_ box: GradientJobBox, _ result: GradientJob.Outcome, at index: Int) async {
        if index != next {
            await withCheckedContinuation { waiting[index] = $0 }
        }
        let isFirst = index == 0
        // Jobs that wait for their turn lend their threads.
        slices.perform(over: count) { range in
            if isFirst {
                (total + range.lowerBound).update(from: box.gradient + range.lowerBound, count: range.count)
            } else {
                Elementwise.add(
                    box.gradient + range.lowerBound, into: total + range.lowerBound, count: range.count)
            }
        }
        outcome.loss += result.loss
        outcome.statistics.add(result.statistics)
        outcome.entropySum += result.entropySum
        outcome.targets += result.targets
        next += 1
        waiting.removeValue(forKey: next)?.resume()
    }
}

/// Carries a job into the task that has it for the length of a step.
// Unchecked: the learner hands each box to one task of a step and awaits that task before the next step; that task alone runs
// the job. The sum, and the threads of its slices, read the gradient while the task waits in `add`, which returns after them.
final class GradientJobBox: @unchecked Sendable {
    /// What all jobs of a step read.
    struct Shared: Sendable {
        var weights: PolicyWeights
        var transposed: TransposedWeights
        /// Where the gradient is that of adapters.
        var adapters: AdapterPanels?
        var reference: PolicyWeights?
        var loss: any PolicyLoss
        var temperature: Float
    }

    private let job: GradientJob

    init(_ job: GradientJob) {
        self.job = job
    }

    var gradient: UnsafePointer<Float> { UnsafePointer(job.gradient.pointer) }

    var sharing: PassSharing { job.sharing }

    /// Works on micro-batches until none is left or the task is cancelled; each that it claims it finishes, so that no other
    /// job waits for a turn that never comes.
    func run(_ queue: MicroBatchQueue, _ shared: Shared, _ sum: GradientSum) async {
        while !Task.isCancelled, let (index, microBatch, threads) = queue.claim() {
            let outcome = job.run(
                microBatch, weights: shared.weights, transposed: shared.transposed, adapters: shared.adapters,
                reference: shared.reference, loss: shared.loss, temperature: shared.temperature, sharedBy: threads)
            await sum.add(self, outcome, at: index)
        }
    }
}
