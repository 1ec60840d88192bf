import Benchmark
import Kernels
import Learning
import Memory
import Trajectories

func learningBenchmarks() {
    Benchmark.define("loss.grpo") {
        LossInputs()
    } body: { inputs in
        inputs.evaluate()
    }
    Benchmark.define("adamW.slice") {
        AdamWSlice()
    } body: { slice in
        slice.update()
    }
}

/// The advantages and the loss of a group: 8 rollouts of 128 tokens.
private final class LossInputs {
    private static let group = 8
    private static let tokens = 128

    private let loss = GroupRelativeLoss()
    private let logProbabilities = AlignedBuffer<Float>(count: tokens)
    private let behaviour = AlignedBuffer<Float>(count: tokens)
    private let isSampled = AlignedBuffer<Bool>(count: tokens)
    private let coefficients = AlignedBuffer<Float>(count: tokens)
    private let rewards = (0..<group).map { Double($0 % 3) }

    init() {
        let stream = RandomStream(seed: 1, purpose: .sampling)
        for index in 0..<Self.tokens {
            behaviour.pointer[index] = -2 + stream.normal(at: index).0
            logProbabilities.pointer[index] = behaviour.pointer[index] + 0.1 * stream.normal(at: index).1
            isSampled.pointer[index] = true
        }
    }

    func evaluate() {
        var statistics = LossStatistics()
        var total = 0.0
        for advantage in loss.advantages(rewards: rewards) {
            total += loss.evaluate(
                RolloutTokens(
                    logProbabilities: UnsafeBufferPointer(logProbabilities.span),
                    behaviour: UnsafeBufferPointer(behaviour.span), reference: nil,
                    isSampled: UnsafeBufferPointer(isSampled.span), advantage: advantage),
                weight: 1 / Float(Self.group), coefficients: coefficients.span, statistics: &statistics)
        }
        blackHole(total)
    }
}

/// One step on 65536 parameters, a slice as the learner's threads take them.
private final class AdamWSlice {
    private static let count = 1 << 16

    private let parameters = AlignedBuffer<Float>(count: count)
    private let gradients = AlignedBuffer<Float>(count: count)
    private let firstMoment = AlignedBuffer<Float>(count: count)
    private let secondMoment = AlignedBuffer<Float>(count: count)
    private var step = 0

    init() {
        let stream = RandomStream(seed: 2, purpose: .sampling)
        for index in 0..<Self.count {
            (parameters.pointer[index], gradients.pointer[index]) = stream.normal(at: index)
        }
    }

    func update() {
        step += 1
        AdamW.update(
            parameters: parameters.pointer, gradients: gradients.pointer, firstMoment: firstMoment.pointer,
            secondMoment: secondMoment.pointer, count: Self.count, learningRate: 1e-4, beta1: 0.9, beta2: 0.999,
            epsilon: 1e-8, weightDecay: 0.01, step: step, gradientScale: 1)
    }
}
