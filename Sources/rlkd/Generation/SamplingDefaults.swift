import Files
import Foundation
import Generation

/// How a model's own `generation_config.json` asks to be sampled from, as transformers reads it: `do_sample` false or absent is
/// greedy. Where it is true, or the command line asks for sampling, `temperature`, `top_k` and `top_p` hold, 1, 50 and 1 where
/// one is not given.
struct SamplingDefaults: Equatable {
    var samples = false
    var parameters = SamplingParameters()
    /// `top_k` of transformers where nobody gives one.
    private static let usualTopK = 50
    /// What else the file asks for, with the value that asks for nothing.
    private static let unsupported: [(name: String, neutral: Double)] = [
        ("repetition_penalty", 1), ("min_p", 0), ("typical_p", 1), ("no_repeat_ngram_size", 0), ("min_new_tokens", 0),
        ("num_beams", 1), ("min_length", 0), ("epsilon_cutoff", 0), ("eta_cutoff", 0),
        ("encoder_repetition_penalty", 1), ("encoder_no_repeat_ngram_size", 0), ("guidance_scale", 1),
        ("diversity_penalty", 0), ("penalty_alpha", 0), ("top_h", 1),
    ]
    /// What asks for nothing where it is null or empty.
    private static let unsupportedLists = [
        "bad_words_ids", "suppress_tokens", "begin_suppress_tokens", "stop_strings", "forced_bos_token_id",
        "forced_eos_token_id", "exponential_decay_length_penalty", "sequence_bias", "watermarking_config",
        "dola_layers",
    ]
    /// The fields of the file that ask for what is not done.
    var ignored: [String] = []

    /// What the command line says; nil where it says nothing.
    struct Options: Equatable {
        var temperature: Float?
        var topK: Int?
        var topP: Float?

        var isEmpty: Bool { temperature == nil && topK == nil && topP == nil }
    }

    /// - Parameter directory: the model's.
    /// - Throws: `FormatError` naming the file and the field; an absent file is an empty one.
    init(directory: String) throws {
        let url = URL(fileURLWithPath: directory).appending(path: "generation_config.json")
        try self.init(JSONField(fileIfPresent: url, limit: InputFile.largestSettings))
    }

    init(_ file: JSONField) throws {
        guard case .object = file.value else { throw file.failure("expected an object, found \(file.value.kind)") }
        samples = try file["do_sample"].boolean(or: false)
        if !file["temperature"].isNull { parameters.temperature = try Self.float(file["temperature"]) }
        parameters.topK = file["top_k"].isNull ? Self.usualTopK : try file["top_k"].integer()
        if !file["top_p"].isNull { parameters.topP = try Self.float(file["top_p"]) }
        ignored =
            try Self.unsupported.filter { name, neutral in
                try !file[name].isNull && file[name].number() != neutral
            }.map(\.name) + Self.unsupportedLists.filter { !file[$0].isEmpty }
        do {
            try parameters.validate()
        } catch {
            let names = ["temperature": "temperature", "topK": "top_k", "topP": "top_p"]
            throw file[names[error.field] ?? error.field].failure("is \(error.value): it must be \(error.allowed)")
        }
    }

    private static func float(_ field: JSONField) throws -> Float {
        let number = try field.number()
        let value = Float(number)
        guard value.isFinite, value != 0 || number == 0 else {
            throw field.failure("is \(number): that is beyond what 32-bit floats hold")
        }
        return value
    }

    /// With what the command line says. Any of its options asks for sampling; the model's values fill the others in.
    func applying(_ options: Options) -> SamplingParameters {
        guard samples || !options.isEmpty else { return .greedy }
        return SamplingParameters(
            temperature: options.temperature ?? parameters.temperature, topK: options.topK ?? parameters.topK,
            topP: options.topP ?? parameters.topP)
    }
}
