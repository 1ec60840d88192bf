import Memory
import Models
import Trajectories

/// A learner at rest: weights, optimizer moments and counters, for a checkpoint.
// Unchecked: written in the initializers alone.
public final class LearnerState: @unchecked Sendable {
    public let parameters: Parameters
    public let version: PolicyVersion
    public let optimizerSteps: Int
    let firstMoment: AlignedBuffer<Float>
    let secondMoment: AlignedBuffer<Float>

    init(parameters: Parameters, optimizer: Optimizer, version: PolicyVersion) {
        self.parameters = parameters
        self.version = version
        optimizerSteps = optimizer.steps
        let count = parameters.layout.count
        firstMoment = AlignedBuffer(count: count)
        secondMoment = AlignedBuffer(count: count)
        firstMoment.pointer.update(from: optimizer.firstMoment.pointer, count: count)
        secondMoment.pointer.update(from: optimizer.secondMoment.pointer, count: count)
    }
}
