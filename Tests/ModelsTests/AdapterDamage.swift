import Files
import Foundation
import TestSupport
import Testing

@testable import Models

/// Ways in which adapter directories are damaged, and what an error must then name.
enum AdapterDamage: CaseIterable {
    case rank, alpha, modules, method, bias, flag, setting, noObject, deepConfiguration, largeConfiguration
    case repeatedField, cutConfiguration, otherRank, fewerModules, moreModules
    case missingTensor, surplusTensor, repeatedTensor, otherShape, impossibleShape, type, offsets, swappedOffsets, value
    case headerLength, cutWeights, bytesAtTheEnd

    struct Expected {
        var file: String
        /// One of these.
        var fields: Set<String>

        func holds(of error: FormatError) -> Bool {
            fields.contains(error.field) || fields.contains(AdapterDamage.noJSON) && error.field.hasPrefix("line ")
        }
    }

    /// Stands for the line where a text is no JSON.
    private static let noJSON = "line"

    private static func configuration(_ field: String...) -> Expected {
        Expected(file: AdapterFiles.configurationName, fields: Set(field))
    }

    private static func weights(_ fields: some Sequence<String>) -> Expected {
        Expected(file: AdapterFiles.weightsName, fields: Set(fields))
    }

    func apply(
        to files: inout AdapterFiles, _ shape: ModelConfiguration, _ random: inout SeededGenerator
    ) throws -> Expected {
        switch self {
        case .rank, .alpha, .modules, .method, .bias, .flag, .setting, .noObject, .deepConfiguration,
            .largeConfiguration, .repeatedField, .cutConfiguration:
            return try damageConfiguration(&files, &random)
        case .otherRank, .fewerModules, .moreModules: return try contradict(&files, shape, &random)
        default: return try damageWeights(&files, &random)
        }
    }

    private func damageConfiguration(
        _ files: inout AdapterFiles, _ random: inout SeededGenerator
    ) throws -> Expected {
        func pick<Element>(_ choices: [Element]) throws -> Element {
            try #require(choices.randomElement(using: &random))
        }
        func set(_ field: String, _ values: [String]) throws -> Expected {
            files.set(field, try pick(values))
            return Self.configuration(field)
        }
        switch self {
        case .rank:
            return try set(
                "r",
                [
                    "0", "-1", "65537", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "2.5",
                    "1e99", "true", "null", "\"3\"", "[]", "{}",
                ])
        case .alpha:
            return try set(
                "lora_alpha",
                [
                    "0", "-0.0", "-2", "1e300", "1e-300", "4e39", "-1e300", "null", "false", "\"8\"", "[1]",
                    "{\"a\": 1}",
                ])
        case .modules:
            let (value, field) = try pick([
                ("null", ""), ("5", ""), ("{}", ""), ("[]", ""), ("\"q_proj\"", ""), ("\".*\"", ""), ("true", ""),
                ("[\"lm_head\"]", ""), ("[\"embed_tokens\"]", "[0]"), ("[\"q_proj\", 3]", "[1]"),
                ("[\"q_proj\", null]", "[1]"),
                ("[[\"q_proj\"]]", "[0]"), ("[\"\"]", "[0]"), ("[\"up_proj\", \"Q_PROJ\"]", "[1]"),
                ("[\"model.layers.0.self_attn.q_proj\"]", "[0]"),
            ])
            files.set("target_modules", value)
            return Self.configuration("target_modules" + field)
        case .method: return try set("peft_type", ["\"LOHA\"", "\"lora\"", "null", "5", "[\"LORA\"]"])
        case .bias: return try set("bias", ["\"all\"", "\"lora_only\"", "true", "[]"])
        case .flag:
            return try set(
                pick([
                    "use_dora", "use_rslora", "use_qalora", "fan_in_fan_out", "lora_bias",
                ]), ["true", "1", "\"yes\"", "[]", "{\"a\": 1}"])
        case .setting:
            return try set(
                pick([
                    "modules_to_save", "rank_pattern", "alpha_pattern", "layers_to_transform", "exclude_modules",
                    "target_parameters", "trainable_token_indices", "layer_replication", "alora_invocation_tokens",
                ]), ["[0]", "{\"a\": 1}", "5", "\"q_proj\"", "true"])
        case .noObject:
            files.text = Array(try pick(["[]", "null", "\"LORA\"", "7", "[{}]"]).utf8)
            return Self.configuration("")
        case .deepConfiguration:
            let depth = try pick([5000, 100_000])
            files.set("base_model_name_or_path", String(repeating: try pick(["[", "{\"a\":"]), count: depth))
            return Self.configuration(Self.noJSON)
        case .largeConfiguration:
            files.set("auto_mapping", "[" + String(repeating: "0,", count: 1 << 19) + "0]")
            return Self.configuration("")
        case .repeatedField:
            files.fields.append(try pick(files.fields))
            return Self.configuration(Self.noJSON)
        default:
            let members = files.fields.map { "\"\($0.name)\": \($0.value)" }.joined(separator: ", ")
            files.text = Array(
                Array("{\(members)}".utf8).prefix(Int.random(in: 0...members.utf8.count, using: &random)))
            return Self.configuration(Self.noJSON)
        }
    }

    /// The two files do not belong together.
    private func contradict(
        _ files: inout AdapterFiles, _ shape: ModelConfiguration, _ random: inout SeededGenerator
    ) throws -> Expected {
        var other = files.configuration
        switch self {
        case .otherRank:
            other.rank = try #require(
                [1, 2, 3, 4, 5, 6, 60_000].filter { $0 != other.rank }.randomElement(using: &random))
        case .fewerModules:
            let left = Projection.ofLayers.first { !other.projections.contains($0) }
            if let gone = other.projections.first { other.projections = [left ?? gone] }
            if other.projections == files.configuration.projections { other.projections = [.query] }
        default:
            other.projections = Set(Projection.ofLayers)
            files.tensors.removeAll { $0.name.contains("v_proj") }
        }
        files.set("r", "\(other.rank)")
        files.set("target_modules", "[\(other.projections.map { "\"\($0.rawValue)\"" }.joined(separator: ","))]")
        let wanted = try AdapterLayout(other, of: shape).entries.map(\.name)
        let names = files.tensors.map(\.name)
        return Self.weights(self == .otherRank ? wanted : Array(Set(wanted).symmetricDifference(names)))
    }

    private func damageWeights(_ files: inout AdapterFiles, _ random: inout SeededGenerator) throws -> Expected {
        func pick<Element>(_ choices: [Element]) throws -> Element {
            try #require(choices.randomElement(using: &random))
        }
        let index = Int.random(in: 0..<files.tensors.count, using: &random)
        let tensor = files.tensors[index]
        switch self {
        case .missingTensor: files.tensors.remove(at: index)
        case .surplusTensor:
            let name = try pick([
                tensor.name + ".weight", "", "base_model.model.lm_head.lora_A.weight",
                tensor.name.replacing("layers.0", with: "layers.00").replacing("layers.1", with: "layers.01"),
                tensor.name.replacing("lora_", with: "lora_magnitude_"), tensor.name.uppercased(),
            ])
            files.tensors.insert(AdapterFiles.tensor(name, [try pick([0, 1, 7])], .float32, &random), at: index)
            return Self.weights([name])
        case .repeatedTensor:
            files.tensors.append(tensor)
            return Self.weights([Self.noJSON])
        case .otherShape:
            let count = tensor.values.count
            files.tensors[index].shape = try pick([
                "[\(count)]", "[1, \(count), 1]", "[1, 1, \(count)]", "[\(count), 1, 1]",
            ])
        case .impossibleShape:
            files.tensors[index].shape = try pick([
                "[-1, -\(tensor.values.count)]", "[4611686018427387904, 4]",
                "[9223372036854775807, 9223372036854775807]",
                "[0]", "[]", "[\(tensor.values.count + 1)]", "[2.5]", "null", "\"3\"", "[[3]]", "{}",
            ])
            return Self.weights(["", ".shape", ".shape[0]"].map { tensor.name + $0 })
        case .type:
            files.tensors[index].type = try pick(["\"I32\"", "\"F64\"", "\"F5\"", "\"bool\"", "null", "32", "[]"])
            return Self.weights(["", ".dtype"].map { tensor.name + $0 })
        case .offsets:
            let size = files.tensors.reduce(0) { $0 + $1.bytes.count }
            let start = files.tensors[..<index].reduce(0) { $0 + $1.bytes.count }
            let length = tensor.bytes.count
            files.tensors[index].offsets = try pick([
                "[\(start + length), \(start)]", "[-1, \(length - 1)]", "[\(size), \(size + length)]",
                "[0, 9223372036854775807]",
                "[-9223372036854775808, 9223372036854775807]", "[\(start + 1), \(start + length + 1)]", "[\(start)]",
                "[]",
                "null", "[0, 1, 2]", "[\"0\", 4]", "[0.5, 4.5]", "[\(start), \(start + length - 1)]",
            ])
            // A tensor that leaves its place makes the next one the first that does not follow.
            let next = files.tensors[min(index + 1, files.tensors.count - 1)].name
            return Self.weights(
                ["", ".data_offsets", ".data_offsets[0]"].map { tensor.name + $0 } + [next, "header"])
        case .swappedOffsets:
            // Two tensors in one place.
            let other = (index + 1) % files.tensors.count
            let start = files.tensors[..<other].reduce(0) { $0 + $1.bytes.count }
            files.tensors[index].offsets = "[\(start), \(start + tensor.bytes.count)]"
            return Self.weights(files.tensors.map(\.name) + ["header"])
        case .value:
            let type = try #require(SafeTensors.DataType.allCases.first { tensor.type == "\"\($0.rawValue)\"" })
            let place = Int.random(in: 0..<tensor.values.count, using: &random) * type.byteCount
            let bytes = AdapterFiles.bytes(try pick([.nan, .infinity, -.infinity]), type)
            files.tensors[index].bytes.replaceSubrange(place..<place + type.byteCount, with: bytes)
        case .headerLength:
            files.headerLength = try pick([0, 1, 7, 1 << 20, 100_000_001, 1 << 63, .max, .max - 7])
            return Self.weights(["header", Self.noJSON])
        case .cutWeights:
            files.end = Double.random(in: 0..<0.999, using: &random)
            return Self.weights(files.tensors.map(\.name) + ["header"])
        default:
            files.end = 1.1
            return Self.weights(["header"])
        }
        return Self.weights([tensor.name])
    }
}
