import Files
import Foundation

/// A directory with adapter_config.json and adapter_model.safetensors, as PEFT reads and writes it.
extension Adapters {
    package static let configurationName = "adapter_config.json"
    private static let weightsName = "adapter_model.safetensors"
    /// The head itself, which PEFT writes beside the head's adapter.
    private static let headName = "base_model.model.lm_head.base_layer.weight"

    /// Reads the adapters of a model of that shape.
    ///
    /// All names, shapes and formats are checked before memory is taken. A copy of the head beside its adapter is not read: the
    /// model has the head. Throws `FormatError` naming the file and the field or tensor.
    public convenience init(contentsOf directory: URL, of model: ModelConfiguration) throws {
        let configuration = try AdapterConfiguration(contentsOf: directory.appending(path: Self.configurationName))
        try configuration.validate(of: model, file: directory.appending(path: Self.configurationName).path)
        let layout = try AdapterLayout(configuration, of: model)
        let file = try SafeTensors(url: directory.appending(path: Self.weightsName))
        let names = Set(layout.entries.map(\.name))
        for entry in layout.entries {
            let (tensor, _) = try file.readable(entry.name)
            guard tensor.shape == entry.shape else {
                throw FormatError(
                    file: file.file, field: entry.name,
                    reason:
                        "the shape is \(tensor.shape), but \(Self.configurationName) and the model make it \(entry.shape)"
                )
            }
        }
        let head = layout.head.map { [$0.outputs, $0.inputs] }
        for tensor in file.tensors where !names.contains(tensor.name) {
            if tensor.name == Self.headName && tensor.shape == head { continue }
            throw FormatError(
                file: file.file, field: tensor.name,
                reason: "\(Self.configurationName) and the model have no place for the tensor")
        }
        try self.init(configuration, of: model)
        for entry in layout.entries {
            try file.readFinite(entry.name, 0..<entry.count, into: pointer + entry.offset)
        }
    }

    /// Writes both files, each whole or not at all, into a directory that is made where it is absent. PEFT's
    /// `PeftModel.from_pretrained` loads it.
    ///
    /// - Parameter base: the model that the adapters belong to, by path or name.
    public func save(to directory: URL, base: String? = nil, as type: SafeTensors.DataType = .float32) throws {
        try FileError.writing(directory) {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        }
        let tensors = layout.entries.map {
            SafeTensors.Source(name: $0.name, shape: $0.shape, values: pointer + $0.offset)
        }
        try SafeTensors.write(tensors, to: directory.appending(path: Self.weightsName), as: type)
        try configuration.fileText(base: base)
            .write(inPlaceOf: directory.appending(path: Self.configurationName))
    }
}
