import Files
import Foundation
import Tokenizers

extension HuggingFaceDirectory {
    /// Bytes of a file of weights above which they are sharded, unless told otherwise.
    public static let defaultShardLimit = 5_000_000_000

    /// Writes config.json, generation_config.json, the weights and the tokenizer's files, each whole or not at all, into a
    /// directory that is made where it is absent. transformers' `AutoModelForCausalLM` and `AutoTokenizer` load it.
    ///
    /// Weights of an earlier save are replaced; whoever needs them until the new ones are whole writes beside and renames.
    ///
    /// - Parameters:
    ///   - generation: of the model that this one comes of; where it has none, the model's tokens are written.
    ///   - type: the format of the weights; see `SafeTensors.write`.
    ///   - shardLimit: bytes of tensors a file. Weights above it go into `model-00001-of-0000N.safetensors` and so on with an
    ///     index; a tensor above it has a file of its own.
    public static func save(
        _ parameters: Parameters, tokenizer: Tokenizer?, generation: GenerationConfiguration? = nil,
        to directory: URL, as type: SafeTensors.DataType = .float32, shardLimit: Int = defaultShardLimit
    ) throws {
        try FileError.writing(directory) {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let configuration = parameters.configuration
        try encoder.encode(StoredConfiguration(configuration: configuration, type: type))
            .write(inPlaceOf: directory.appending(path: configurationName))
        try (generation ?? GenerationConfiguration(configuration)).save(to: directory)
        let tensors = parameters.layout.entries.map {
            SafeTensors.Source(name: $0.name, shape: $0.shape, values: parameters.pointer + $0.offset)
        }
        let plan = ShardPlan(tensors, type: type, limit: shardLimit)
        for (name, tensors) in plan.files {
            try SafeTensors.write(tensors, to: directory.appending(path: name), as: type)
        }
        if let index = plan.index {
            try encoder.encode(index).write(inPlaceOf: directory.appending(path: indexName))
        }
        try removeOtherWeights(directory, keeping: plan)
        try tokenizer?.save(to: directory)
    }

    /// A file of an earlier save would be loaded in place of the new ones, or lie about for nothing.
    private static func removeOtherWeights(_ directory: URL, keeping plan: ShardPlan) throws {
        var kept = Set(plan.files.map(\.name))
        if plan.index != nil { kept.insert(indexName) }
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) where !kept.contains(name) {
            guard name == weightsName || name == indexName || ShardPlan.isShard(name) else { continue }
            try FileManager.default.removeItem(at: directory.appending(path: name))
        }
    }
}
