import Foundation
import Tokenizers

/// A model directory as transformers reads and writes it.
public enum HuggingFaceDirectory {
    static let configurationName = "config.json"
    static let generationName = "generation_config.json"
    static let weightsName = "model.safetensors"
    static let indexName = "model.safetensors.index.json"

    /// Reads config.json and the weights, `model.safetensors` or the shards of `model.safetensors.index.json`, as
    /// floats.
    ///
    /// All names and shapes are checked before memory is taken. Throws `FormatError` naming the file and the field or
    /// tensor.
    public static func load(_ directory: URL) throws -> (ModelConfiguration, Parameters) {
        let configuration = try ModelConfiguration(contentsOf: directory.appending(path: configurationName))
        let layout = try ParameterLayout(configuration)
        let weights = try ShardedTensors(directory)
        try check(weights, against: layout)
        let parameters = Parameters(configuration: configuration, layout: layout)
        for entry in layout.entries {
            try weights.file(of: entry.name).read(entry.name, into: parameters.pointer + entry.offset)
        }
        try checkTiedHead(weights, parameters)
        return (configuration, parameters)
    }

    private static func check(_ weights: ShardedTensors, against layout: ParameterLayout) throws {
        for entry in layout.entries {
            let file = try weights.file(of: entry.name)
            guard let tensor = file[entry.name], tensor.shape == entry.shape else {
                let found = file[entry.name]?.shape ?? []
                throw FormatError(
                    file: file.file, field: entry.name,
                    reason: "the shape is \(found), but config.json makes it \(entry.shape)")
            }
        }
        for (name, file) in weights.files where layout[name] == nil && !isIgnored(name) {
            throw FormatError(
                file: file.file, field: name, reason: "the model that config.json describes has no such tensor")
        }
    }

    /// The head where it is tied (see `checkTiedHead`), and a constant that old Llama checkpoints carry.
    private static func isIgnored(_ name: String) -> Bool {
        name == "lm_head.weight" || name.hasSuffix(".rotary_emb.inv_freq")
    }

    /// A tied head may be stored as well, but then it must be the embedding.
    private static func checkTiedHead(_ weights: ShardedTensors, _ parameters: Parameters) throws {
        guard parameters.configuration.tiesEmbeddings, let file = weights.files["lm_head.weight"],
            let embedding = parameters.layout["model.embed_tokens.weight"]
        else { return }
        let head = try file.values("lm_head.weight")
        let isSame = head.withUnsafeBytes { head in
            guard let address = head.baseAddress, head.count == 4 * embedding.count else { return false }
            return memcmp(address, parameters.pointer + embedding.offset, head.count) == 0
        }
        guard isSame else {
            throw FormatError(
                file: file.file, field: "lm_head.weight",
                reason: "differs from model.embed_tokens.weight, to which config.json ties it (tie_word_embeddings)")
        }
    }

    /// Writes config.json, generation_config.json, model.safetensors (F32) and the tokenizer's files, each whole or not
    /// at all, into a directory that is made where it is absent. transformers' `AutoModelForCausalLM` and
    /// `AutoTokenizer` load it.
    public static func save(_ parameters: Parameters, tokenizer: Tokenizer?, to directory: URL) throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let configuration = parameters.configuration
        try encoder.encode(StoredConfiguration(configuration: configuration, type: .float32))
            .write(to: directory.appending(path: configurationName), options: .atomic)
        try encoder.encode(GenerationConfiguration(configuration))
            .write(to: directory.appending(path: generationName), options: .atomic)
        let tensors = parameters.layout.entries.map {
            SafeTensors.Source(name: $0.name, shape: $0.shape, values: parameters.pointer + $0.offset)
        }
        try SafeTensors.write(tensors, to: directory.appending(path: weightsName))
        try tokenizer?.save(to: directory)
    }
}

/// generation_config.json.
private struct GenerationConfiguration: Encodable {
    let beginning: Int32?
    let end: [Int32]?
    let padding: Int32?

    private enum CodingKeys: String, CodingKey {
        case beginning = "bos_token_id"
        case end = "eos_token_id"
        case padding = "pad_token_id"
    }

    init(_ configuration: ModelConfiguration) {
        beginning = configuration.beginningToken
        end = configuration.endTokens.isEmpty ? nil : configuration.endTokens
        padding = configuration.paddingToken
    }
}
