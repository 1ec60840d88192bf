import Files
import Foundation

/// adapter_config.json as PEFT reads and writes it.
extension AdapterConfiguration {
    /// Reads and validates the file. Throws `FormatError` naming it and the field that is malformed, or asks for arithmetic
    /// other than W + (lora_alpha / r) · B · A.
    ///
    /// `lora_dropout` is not applied: the merged weights that passes read have none.
    init(contentsOf url: URL) throws {
        let root = try JSONField(contentsOf: url, limit: InputFile.largestSettings)
        guard case .object = root.value else { throw root.failure("expected an object, found \(root.value.kind)") }
        try Self.refuseUnsupported(root)
        self.init(
            rank: try root["r"].integer(), alpha: try root["lora_alpha"].number(),
            projections: try Self.projections(root["target_modules"]))
        try validate(file: url.path)
    }

    private static func projections(_ field: JSONField) throws -> Set<Projection> {
        if case .string(let text) = field.value {
            guard text == Projection.allLinear else {
                throw field.failure(
                    "the pattern \"\(text)\" is not supported (a list of names, or \"\(Projection.allLinear)\")")
            }
            return Set(Projection.ofLayers)
        }
        let projections = try field.elements().map { element in
            let name = try element.string()
            guard let projection = Projection(rawValue: name) else {
                let known = Projection.allCases.map(\.rawValue).joined(separator: ", ")
                throw element.failure("\"\(name)\" is not supported (\(known))")
            }
            return projection
        }
        return Set(projections)
    }

    private static func refuseUnsupported(_ root: JSONField) throws {
        let type = root["peft_type"]
        guard try type.string() == "LORA" else { throw type.failure("only LORA is supported") }
        let bias = root["bias"]
        guard try bias.isNull || bias.string() == "none" else { throw bias.failure("only \"none\" is supported") }
        let flags = ["use_dora", "use_rslora", "use_qalora", "fan_in_fan_out", "lora_bias"]
        for name in flags where try root[name].boolean(or: false) {
            throw root[name].failure("true is not supported")
        }
        let empty = [
            "modules_to_save", "rank_pattern", "alpha_pattern", "layers_to_transform", "exclude_modules",
            "target_parameters", "trainable_token_indices", "layer_replication", "alora_invocation_tokens",
        ]
        for name in empty where !root[name].isEmpty {
            throw root[name].failure("is not supported; leave it empty")
        }
        // The others, such as PiSSA, change the base weights too.
        let initialization = root["init_lora_weights"]
        if case .string(let text) = initialization.value, text != "gaussian" {
            throw initialization.failure("\"\(text)\" is not supported (true, false, \"gaussian\")")
        }
    }

    /// The file's text, for causal language models.
    ///
    /// - Parameter base: the model that the adapters belong to, by path or name.
    func fileText(base: String?) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(
            AdapterFile(
                r: rank, loraAlpha: alpha, baseModel: base,
                targetModules: Projection.allCases.filter(projections.contains).map(\.rawValue)))
    }
}

private struct AdapterFile: Encodable {
    let r: Int
    let loraAlpha: Double
    let baseModel: String?
    let targetModules: [String]
    let peftType = "LORA"
    let taskType = "CAUSAL_LM"
    let bias = "none"
    let loraDropout = 0.0
    let fanInFanOut = false
    let inferenceMode = true
    let initLoraWeights = true

    private enum CodingKeys: String, CodingKey {
        case r
        case loraAlpha = "lora_alpha"
        case baseModel = "base_model_name_or_path"
        case targetModules = "target_modules"
        case peftType = "peft_type"
        case taskType = "task_type"
        case bias
        case loraDropout = "lora_dropout"
        case fanInFanOut = "fan_in_fan_out"
        case inferenceMode = "inference_mode"
        case initLoraWeights = "init_lora_weights"
    }
}
