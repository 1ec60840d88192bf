import Foundation
import Trajectories

/// The weights of a model directory, their names, shapes and formats checked, their values still in the files.
///
///     let stored = try HuggingFaceDirectory.open(directory, precision: .bfloat16)
///     let weights = try stored.policyWeights(positions: 512)      // to generate with
///     let parameters = try stored.parameters()                    // to train
public struct StoredWeights: Sendable, WeightOrigin {
    public let configuration: ModelConfiguration
    let layout: ParameterLayout
    /// The file of each of the layout's tensors.
    private let files: [SafeTensors]
    let embeddingFormat: EmbeddingFormat

    static var isInMemory: Bool { false }

    /// - Parameter files: each holds the tensor of its place in the layout, in the right shape.
    init(_ configuration: ModelConfiguration, _ layout: ParameterLayout, files: [SafeTensors]) {
        self.configuration = configuration
        self.layout = layout
        self.files = files
        let type = layout.entries.first.flatMap { files.first?[$0.name]?.type }
        embeddingFormat = type == .bfloat16 ? .bfloat16 : .float32
    }

    /// Bytes of `policyWeights`, without its rotary table.
    public var policyByteCount: Int { PolicyWeights.byteCount(configuration, embedding: embeddingFormat) }

    /// All weights as floats.
    ///
    /// - Throws: `FormatError` naming the file and the tensor where a value is not finite.
    public func parameters() throws -> Parameters {
        let parameters = Parameters(configuration: configuration, layout: layout)
        for (entry, file) in zip(layout.entries, files) {
            try file.readFinite(entry.name, 0..<entry.count, into: parameters.pointer + entry.offset)
        }
        return parameters
    }

    /// The weights packed for forward passes, with the adapters merged in; bit for bit those of `PolicyWeights(parameters())`,
    /// without ever holding more than some rows as floats.
    ///
    /// - Parameters:
    ///   - positions: that passes will reach; all of the model's by default.
    ///   - perform: see `PolicyWeights.write`.
    /// - Throws: as `parameters`.
    public func policyWeights(
        adapters: Adapters? = nil, version: PolicyVersion = PolicyVersion(0), positions: Int? = nil,
        perform: WeightLoop = runInTurn
    ) throws -> PolicyWeights {
        let weights = PolicyWeights(
            configuration: configuration, rotary: RotaryTable(configuration, positions: positions),
            embedding: embeddingFormat)
        try weights.write(from: self, adapters: adapters, version: version, perform: perform)
        return weights
    }

    func values(_ range: Range<Int>, buffer: UnsafeMutablePointer<Float>) throws -> UnsafePointer<Float> {
        try layout.forEachPart(of: range) { (index, elements) throws in
            let entry = layout.entries[index]
            let start = entry.offset + elements.lowerBound - range.lowerBound
            try files[index].readFinite(entry.name, elements, into: buffer + start)
        }
        return UnsafePointer(buffer)
    }
}
