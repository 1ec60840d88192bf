import Foundation
import TestSupport
import Testing

@testable import Models

/// The two files of an adapter directory, written byte for byte, so that they may say what is not so.
struct AdapterFiles {
    static let configurationName = "adapter_config.json"
    static let weightsName = "adapter_model.safetensors"

    struct Tensor {
        var name: String
        /// As JSON.
        var type: String
        var shape: String
        /// Within the data; `nil` for where the tensor stands.
        var offsets: String?
        var bytes: [UInt8]
        /// What the bytes say.
        var values: [Float]
    }

    let configuration: AdapterConfiguration
    /// Members of adapter_config.json, as JSON.
    var fields: [(name: String, value: String)]
    /// In the order of the data.
    var tensors: [Tensor]
    /// The whole of adapter_config.json, in place of `fields`.
    var text: [UInt8]?
    /// The length that the header is said to have, in place of its own.
    var headerLength: UInt64?
    /// Where the weights' file ends, in parts of its size; above 1 with bytes that belong to nothing.
    var end = 1.0

    /// Sound files of adapters of that model.
    init(of shape: ModelConfiguration, _ random: inout SeededGenerator) throws {
        let possible = shape.tiesEmbeddings ? Projection.ofLayers : Projection.allCases
        let projections = possible.shuffled(using: &random).prefix(Int.random(in: 1...possible.count, using: &random))
        let configuration = AdapterConfiguration(
            rank: Int.random(in: 1...5, using: &random), alpha: Double.random(in: 0.5...64, using: &random),
            projections: Set(projections))
        self.configuration = configuration
        let names = projections.map { "\"\($0.rawValue)\"" }.joined(separator: ",")
        fields = [
            ("peft_type", "\"LORA\""), ("r", "\(configuration.rank)"), ("lora_alpha", "\(configuration.alpha)"),
            ("target_modules", "[\(names)]"), ("lora_dropout", "0.1"), ("bias", "\"none\""), ("task_type", "null"),
        ].shuffled(using: &random)
        let type = try #require(SafeTensors.DataType.allCases.randomElement(using: &random))
        tensors = []
        for entry in try AdapterLayout(configuration, of: shape).entries.shuffled(using: &random) {
            tensors.append(Self.tensor(entry.name, entry.shape, type, &random))
        }
    }

    /// A sound tensor of random values that every type holds.
    static func tensor(
        _ name: String, _ shape: [Int], _ type: SafeTensors.DataType, _ random: inout SeededGenerator
    ) -> Tensor {
        let values = (0..<shape.reduce(1, *)).map { _ in Float(Int.random(in: -64...64, using: &random)) / 32 }
        return Tensor(
            name: name, type: "\"\(type.rawValue)\"", shape: "\(shape)", bytes: values.flatMap { bytes($0, type) },
            values: values)
    }

    static func bytes(_ value: Float, _ type: SafeTensors.DataType) -> [UInt8] {
        switch type {
        case .float32: withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
        case .bfloat16: withUnsafeBytes(of: UInt16(value.bitPattern >> 16).littleEndian) { Array($0) }
        case .float16: withUnsafeBytes(of: Float16(value).bitPattern.littleEndian) { Array($0) }
        }
    }

    mutating func set(_ field: String, _ value: String) {
        fields.removeAll { $0.name == field }
        fields.append((field, value))
    }

    func write(to directory: URL) throws {
        let members = fields.map { "\"\($0.name)\": \($0.value)" }.joined(separator: ", ")
        try Data(text ?? Array("{\(members)}".utf8)).write(to: directory.appending(path: Self.configurationName))
        var data: [UInt8] = []
        var entries: [String] = []
        for tensor in tensors {
            let offsets = tensor.offsets ?? "[\(data.count), \(data.count + tensor.bytes.count)]"
            entries.append(
                "\"\(tensor.name)\": {\"dtype\": \(tensor.type), \"shape\": \(tensor.shape), \"data_offsets\": \(offsets)}"
            )
            data += tensor.bytes
        }
        let header = Array("{\(entries.joined(separator: ", "))}".utf8)
        let length = headerLength ?? UInt64(header.count)
        var bytes = withUnsafeBytes(of: length.littleEndian) { Array($0) } + header + data
        let size = Int(Double(bytes.count) * end)
        bytes = bytes.prefix(size) + Array(repeating: 0, count: max(0, size - bytes.count))
        try Data(bytes).write(to: directory.appending(path: Self.weightsName))
    }
}
