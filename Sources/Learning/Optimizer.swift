import Kernels
import Memory
import Models
import Synchronization

/// AdamW's settings (Loshchilov and Hutter, arXiv 1711.05101); matrices decay, vectors do not.
public struct OptimizerConfiguration: Sendable, Codable, Equatable {
    public var beta1: Double
    public var beta2: Double
    public var epsilon: Double
    public var weightDecay: Double
    /// Largest global norm of the gradient; longer ones are scaled down to it. 0 turns clipping off.
    public var maxGradientNorm: Double

    public init(
        beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0.01,
        maxGradientNorm: Double = 1
    ) {
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.maxGradientNorm = maxGradientNorm
    }
}

/// AdamW over one flat vector of f32 master weights. The learner owns it; one thread at a time.
public final class Optimizer {
    public let configuration: OptimizerConfiguration
    /// Updates made.
    public internal(set) var steps = 0
    let firstMoment: AlignedBuffer<Float>
    let secondMoment: AlignedBuffer<Float>

    public init(_ configuration: OptimizerConfiguration, parameterCount: Int) {
        self.configuration = configuration
        firstMoment = AlignedBuffer(count: parameterCount, pages: .large)
        secondMoment = AlignedBuffer(count: parameterCount, pages: .large)
    }

    /// What the gradient is multiplied by so that its norm is at most `maxGradientNorm`.
    func clipScale(norm: Double) -> Float {
        guard configuration.maxGradientNorm > 0, norm > configuration.maxGradientNorm else { return 1 }
        return Float(configuration.maxGradientNorm / norm)
    }

    /// - Returns: whether all that was trained is finite afterwards.
    func update(
        _ trained: TrainedVector, gradient: UnsafePointer<Float>, norm: Double, learningRate: Double, slices: SliceLoop
    ) -> Bool {
        steps += 1
        let scale = clipScale(norm: norm)
        let isFinite = Atomic(true)
        for entry in trained.entries {
            slices.perform(over: entry.count) { range in
                let start = entry.offset + range.lowerBound
                AdamW.update(
                    parameters: trained.pointer + start, gradients: gradient + start,
                    firstMoment: firstMoment.pointer + start, secondMoment: secondMoment.pointer + start,
                    count: range.count, learningRate: learningRate, beta1: configuration.beta1,
                    beta2: configuration.beta2, epsilon: configuration.epsilon,
                    weightDecay: entry.shape.count > 1 ? configuration.weightDecay : 0, step: steps,
                    gradientScale: scale)
                // While the slice is in the caches.
                if !Elementwise.isFinite(trained.pointer + start, count: range.count) {
                    isFinite.store(false, ordering: .relaxed)
                }
            }
        }
        // The loop's end orders the threads' stores before this.
        return isFinite.load(ordering: .relaxed)
    }
}
