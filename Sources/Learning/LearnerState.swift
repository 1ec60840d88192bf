import Foundation
import Kernels
import Memory
import Models
import Trajectories

/// A learner at rest: weights, optimizer moments and counters, for a checkpoint.
// Unchecked: the moments are written in the initializers alone. So are the weights and adapters until the state's owner makes a
// learner of them, which changes them in place; nobody reads them of the state from then on.
public final class LearnerState: @unchecked Sendable {
    /// Without the adapters, where there are any.
    public let parameters: Parameters
    /// What is trained in place of the weights.
    public let adapters: Adapters?
    public let version: PolicyVersion
    public let optimizerSteps: Int
    let firstMoment: AlignedBuffer<Float>
    let secondMoment: AlignedBuffer<Float>

    init(parameters: Parameters, adapters: Adapters? = nil, optimizer: Optimizer, version: PolicyVersion) {
        self.parameters = parameters
        self.adapters = adapters
        self.version = version
        optimizerSteps = optimizer.steps
        let count = TrainedVector(parameters, adapters).count
        firstMoment = AlignedBuffer(count: count, pages: .large)
        secondMoment = AlignedBuffer(count: count, pages: .large)
        firstMoment.pointer.update(from: optimizer.firstMoment.pointer, count: count)
        secondMoment.pointer.update(from: optimizer.secondMoment.pointer, count: count)
    }

    /// The model as it computes: the weights, adapters merged in.
    public var model: Parameters { adapters.map { parameters.merging($0) } ?? parameters }

    /// Reads the moments that `writeMoments` wrote. Throws errors that name the file and the tensor.
    public init(
        parameters: Parameters, adapters: Adapters? = nil, version: PolicyVersion, optimizerSteps: Int, moments url: URL
    ) throws {
        self.parameters = parameters
        self.adapters = adapters
        self.version = version
        self.optimizerSteps = optimizerSteps
        let trained = TrainedVector(parameters, adapters)
        firstMoment = AlignedBuffer(count: trained.count, pages: .large)
        secondMoment = AlignedBuffer(count: trained.count, pages: .large)
        let file = try SafeTensors(url: url)
        for (prefix, moment) in [("first.", firstMoment.pointer), ("second.", secondMoment.pointer)] {
            for entry in trained.entries {
                guard let tensor = file[prefix + entry.name], tensor.shape == entry.shape else {
                    throw MalformedMoments(
                        file: url.path, tensor: prefix + entry.name,
                        reason: "is missing or of another shape than the parameter")
                }
                let values = moment + entry.offset
                try file.read(tensor.name, into: values)
                guard Elementwise.isFinite(values, count: entry.count),
                    moment == firstMoment.pointer
                        || UnsafeBufferPointer(start: values, count: entry.count).allSatisfy({ $0 >= 0 })
                else {
                    throw MalformedMoments(
                        file: url.path, tensor: tensor.name, reason: "holds a value that no optimizer's moment can have"
                    )
                }
            }
        }
    }

    /// Writes both moments as tensors named `first.` and `second.` and the parameter's name.
    public func writeMoments(to url: URL) throws {
        var tensors: [SafeTensors.Source] = []
        for (prefix, moment) in [("first.", firstMoment.pointer), ("second.", secondMoment.pointer)] {
            for entry in TrainedVector(parameters, adapters).entries {
                tensors.append(
                    SafeTensors.Source(name: prefix + entry.name, shape: entry.shape, values: moment + entry.offset))
            }
        }
        try SafeTensors.write(tensors, to: url)
    }
}

/// Optimizer moments that do not belong to the model beside them, are not finite, or below zero where they are squares.
public struct MalformedMoments: Error, CustomStringConvertible {
    public var file: String
    public var tensor: String
    public var reason: String

    public var description: String { "\(file): tensor \(tensor) \(reason)" }
}
