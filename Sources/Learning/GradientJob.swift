import Foundation
import Kernels
import Memory
import Models
import Pipelines

/// One thread's share of a learner step: a pass with its buffers, and the gradient of the micro-batch at hand.
///
/// An instance belongs to one task of a step at a time.
final class GradientJob {
    struct Outcome: Sendable {
        var loss = 0.0
        var statistics = LossStatistics()
        var entropySum = 0.0
        var targets = 0
    }

    let gradient: AlignedBuffer<Float>
    private let pass: Backpropagation
    private let layout: ParameterLayout
    private var coefficients: [Float] = []
    private var reference: [Float] = []

    /// - Parameters:
    ///   - gradientCount: of the weights, or of the adapters where they alone are trained.
    ///   - workspaces: for all jobs of a learner; by default the job has its own.
    init(
        configuration: ModelConfiguration, layout: ParameterLayout, storage: ActivationStorage = .kept,
        gradientCount: Int, workspaces: PassWorkspaces = PassWorkspaces()
    ) {
        self.layout = layout
        gradient = AlignedBuffer(count: gradientCount, pages: .large)
        pass = Backpropagation(configuration: configuration, storage: storage, workspaces: workspaces)
    }

    var sharing: PassSharing { pass.sharing }

    /// Computes the micro-batch's loss, and leaves its gradient in `gradient`.
    ///
    /// - Parameters:
    ///   - adapters: those that are merged in the weights, where the gradient is theirs.
    ///   - threads: that can be expected to share the work.
    func run(
        _ microBatch: MicroBatch, weights: PolicyWeights, transposed: TransposedWeights,
        adapters: AdapterPanels? = nil, reference: PolicyWeights?, loss: any PolicyLoss, temperature: Float,
        sharedBy threads: Int = 1
    ) -> Outcome {
        defer { pass.releaseWeights() }
        var outcome = Outcome()
        StallClock.phase(.forward) {
            computeReference(microBatch, reference, temperature, sharedBy: threads)
            pass.forward(microBatch.batch, weights: weights, temperature: temperature, sharedBy: threads)
        }
        let targets = microBatch.batch.targets.count
        coefficients.removeAll(keepingCapacity: true)
        coefficients.append(contentsOf: repeatElement(0, count: targets))
        switch microBatch.objective {
        case .imitation(let targetWeights):
            for index in 0..<targets {
                coefficients[index] = -targetWeights[index]
                outcome.loss -= Double(targetWeights[index] * pass.logProbabilities[index])
            }
            outcome.statistics.tokens = targets
        case .policy(let rollouts):
            outcome.loss = evaluate(rollouts, loss, &outcome.statistics)
        }
        outcome.targets = targets
        outcome.entropySum = pass.meanEntropy * Double(targets)
        StallClock.phase(.backward) {
            clearGradient(sharedBy: threads)
            coefficients.withUnsafeBufferPointer {
                if let adapters {
                    pass.backward($0, transposed: transposed, adapters: adapters, into: gradient.pointer)
                } else {
                    pass.backward($0, transposed: transposed, layout: layout, into: gradient.pointer)
                }
            }
        }
        return outcome
    }

    private func clearGradient(sharedBy threads: Int) {
        guard threads > 1 else { return Elementwise.fill(gradient.pointer, with: 0, count: gradient.count) }
        // Slices are apart, and all are written when the loop ends.
        nonisolated(unsafe) let start = gradient.pointer
        SliceLoop().perform(over: gradient.count) { range in
            Elementwise.fill(start + range.lowerBound, with: 0, count: range.count)
        }
    }

    private func computeReference(
        _ microBatch: MicroBatch, _ weights: PolicyWeights?, _ temperature: Float, sharedBy threads: Int
    ) {
        reference.removeAll(keepingCapacity: true)
        guard let weights, case .policy = microBatch.objective else { return }
        pass.forward(microBatch.batch, weights: weights, temperature: temperature, sharedBy: threads)
        reference.append(contentsOf: pass.logProbabilities)
    }

    private func evaluate(
        _ rollouts: [RolloutTerms], _ loss: any PolicyLoss, _ statistics: inout LossStatistics
    ) -> Double {
        var total = 0.0
        var start = 0
        coefficients.withUnsafeMutableBufferPointer { all in
            reference.withUnsafeBufferPointer { references in
                for rollout in rollouts {
                    let range = start..<start + rollout.behaviour.count
                    rollout.behaviour.withUnsafeBufferPointer { behaviour in
                        rollout.isSampled.withUnsafeBufferPointer { isSampled in
                            let tokens = RolloutTokens(
                                logProbabilities: UnsafeBufferPointer(rebasing: pass.logProbabilities[range]),
                                behaviour: behaviour,
                                reference: references.isEmpty ? nil : UnsafeBufferPointer(rebasing: references[range]),
                                isSampled: isSampled, advantage: rollout.advantage)
                            total += loss.evaluate(
                                tokens, weight: rollout.weight,
                                coefficients: UnsafeMutableBufferPointer(rebasing: all[range]),
                                statistics: &statistics)
                        }
                    }
                    start = range.upperBound
                }
            }
        }
        return total
    }
}
