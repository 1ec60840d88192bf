import Files
import Foundation

/// A model directory as transformers reads and writes it.
public enum HuggingFaceDirectory {
    static let configurationName = "config.json"
    static let weightsName = "model.safetensors"
    static let indexName = "model.safetensors.index.json"

    /// Reads config.json and the weights, `model.safetensors` or the shards of `model.safetensors.index.json`, as
    /// floats; see `open`.
    public static func load(
        _ directory: URL, precision: Precision = .float32, warn: (String) -> Void = { _ in }
    ) throws -> (ModelConfiguration, Parameters) {
        let stored = try open(directory, precision: precision, warn: warn)
        return (stored.configuration, try stored.parameters())
    }

    /// Reads config.json and checks all names, shapes and formats of the weights, before memory is taken for any.
    ///
    /// The files are mapped, and their pages read once, when the weights are. Throws `FormatError` naming the file and the
    /// field or tensor.
    ///
    /// - Parameters:
    ///   - precision: what is computed in; parameters are floats all the same.
    ///   - warn: told once of tensors that the model has no use for. One within a layer, such as a bias that
    ///   config.json does not speak of, would change the result and is refused.
    public static func open(
        _ directory: URL, precision: Precision = .float32, warn: (String) -> Void = { _ in }
    ) throws -> StoredWeights {
        var configuration = try ModelConfiguration(contentsOf: directory.appending(path: configurationName))
        configuration.precision = precision
        let layout = try ParameterLayout(configuration)
        let weights = try ShardedTensors(directory)
        try check(weights, against: layout)
        try checkExtraTensors(weights, layout, warn)
        if configuration.tiesEmbeddings { try checkTiedHead(weights) }
        return StoredWeights(
            configuration, layout, files: try layout.entries.map { try weights.file(of: $0.name) })
    }

    private static func check(_ weights: ShardedTensors, against layout: ParameterLayout) throws {
        for entry in layout.entries {
            let file = try weights.file(of: entry.name)
            let (tensor, _) = try file.readable(entry.name)
            guard tensor.shape == entry.shape else {
                throw FormatError(
                    file: file.file, field: entry.name,
                    reason: "the shape is \(tensor.shape), but config.json makes it \(entry.shape)")
            }
        }
    }

    private static func checkExtraTensors(
        _ weights: ShardedTensors, _ layout: ParameterLayout, _ warn: (String) -> Void
    ) throws {
        let extra = weights.files.filter { layout[$0.key] == nil && !isIgnored($0.key) }.sorted { $0.key < $1.key }
        for (name, file) in extra where isWithinLayer(name, count: layout.layers.count) {
            throw FormatError(
                file: file.file, field: name, reason: "the model that config.json describes has no such tensor")
        }
        guard let (_, file) = extra.first else { return }
        let names = extra.prefix(5).map(\.key).joined(separator: ", ")
        warn(
            "\(file.file): \(extra.count) tensors that the model has no use for: \(names)\(extra.count > 5 ? ", …" : "")"
        )
    }

    /// The head where it is tied (see `checkTiedHead`), and a constant that old Llama checkpoints carry.
    private static func isIgnored(_ name: String) -> Bool {
        name == "lm_head.weight" || name.hasSuffix(".rotary_emb.inv_freq")
    }

    private static func isWithinLayer(_ name: String, count: Int) -> Bool {
        let parts = name.split(separator: ".", maxSplits: 3)
        guard parts.count == 4, parts[0] == "model", parts[1] == "layers", let layer = Int(parts[2]) else {
            return false
        }
        return 0..<count ~= layer
    }

    /// A tied head may be stored as well, but then it must be the embedding.
    private static func checkTiedHead(_ weights: ShardedTensors) throws {
        let (headName, embeddingName) = ("lm_head.weight", "model.embed_tokens.weight")
        guard let file = weights.files[headName] else { return }
        let (head, _) = try file.readable(headName)
        let embeddingFile = try weights.file(of: embeddingName)
        let (embedding, _) = try embeddingFile.readable(embeddingName)
        let tie = "\(embeddingName), to which config.json ties it (tie_word_embeddings)"
        guard head.shape == embedding.shape else {
            throw FormatError(
                file: file.file, field: headName,
                reason: "the shape is \(head.shape), not \(embedding.shape) as that of \(tie)")
        }
        guard try file.hasValues(headName, of: embeddingFile, embeddingName) else {
            throw FormatError(file: file.file, field: headName, reason: "differs from \(tie)")
        }
    }
}
