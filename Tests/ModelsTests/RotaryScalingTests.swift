import Files
import Foundation
import Testing

@testable import Models

/// The fixtures hold the arithmetic to PyTorch's; here are the places in config.json where a scaling may stand.
struct RotaryScalingTests {
    private static func read(_ changes: String, model: String = "llama") throws -> ModelConfiguration {
        let text = """
            {"model_type": "\(model)", "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 5,
            "num_attention_heads": 8, "num_key_value_heads": 4, "vocab_size": 512, "max_position_embeddings": 256, \(changes)}
            """
        return try ConfigurationFile.read(Data(text.utf8))
    }

    private static let llama3 = RotaryScaling.llama3(
        .init(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositions: 64))

    @Test(arguments: [
        #""rope_theta": 5e5, "rope_scaling": {"rope_type": "llama3", FIELDS, "original_max_position_embeddings": 64}"#,
        #""rope_theta": 5e5, "rope_scaling": {"type": "llama3", FIELDS, "original_max_position_embeddings": 64}"#,
        #""rope_parameters": {"rope_theta": 5e5, "rope_type": "llama3", FIELDS, "original_max_position_embeddings": 64}"#,
        #""rope_theta": 1, "rope_scaling": {}, "original_max_position_embeddings": 64, "rope_parameters": {"rope_theta": 5e5, "rope_type": "llama3", FIELDS, "original_max_position_embeddings": 1}"#,
        #""rope_theta": 5e5, "rope_scaling": {"rope_type": "llama3", FIELDS, "original_max_position_embeddings": 64}, "rope_parameters": {"rope_theta": 1, "rope_type": "default"}"#,
    ])
    func everyPlaceIsRead(changes: String) throws {
        let fields = #""factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0"#
        let configuration = try Self.read(changes.replacingOccurrences(of: "FIELDS", with: fields))
        #expect(configuration.rotaryBase == 500_000)
        #expect(configuration.rotaryScaling == Self.llama3)
    }

    @Test func absentYarnFieldsHaveTheirDefaults() throws {
        let bare = try Self.read(#""rope_scaling": {"type": "yarn", "factor": 4, "beta_fast": 0}"#)
        #expect(bare.rotaryScaling == .yarn(.init(factor: 4, originalMaxPositions: 256)))
        #expect(abs(bare.rotaryScaling.attentionFactor - Float(0.1 * log(4.0) + 1)) < 1e-7)
        let ratio = try Self.read(
            #""rope_scaling": {"type": "yarn", "factor": null, "original_max_position_embeddings": 64}"#)
        #expect(ratio.rotaryScaling == .yarn(.init(factor: 4, originalMaxPositions: 64)))
        let given = try Self.read(#""rope_scaling": {"type": "yarn", "factor": 4, "attention_factor": 1.5}"#)
        #expect(given.rotaryScaling.attentionFactor == 1.5)
    }

    /// Qwen2.5's model cards add YaRN and leave max_position_embeddings as it was; DeepSeek's state what it is stretched to.
    @Test(arguments: [
        (#""rope_scaling": {"type": "yarn", "factor": 4, "original_max_position_embeddings": 256}"#, 1024),
        (#""rope_scaling": {"type": "yarn", "factor": 2.5}"#, 640),
        (#""rope_scaling": {"type": "yarn", "factor": 4, "original_max_position_embeddings": 32}"#, 256),
        (#""rope_scaling": {"type": "yarn", "factor": 1e29, "original_max_position_embeddings": 256}"#, Int(Int32.max)),
        (#""rope_scaling": {"type": "linear", "factor": 4}"#, 256),
    ])
    func yarnStretchesTheContext(changes: String, positions: Int) throws {
        let configuration = try Self.read(changes)
        #expect(configuration.maxPositions == positions)
        let stored = try JSONEncoder().encode(StoredConfiguration(configuration: configuration, type: .float32))
        #expect(try ConfigurationFile.read(stored) == configuration)
    }

    @Test func noScalingIsTheFormerFormula() {
        let frequencies = RotaryScaling.none.frequencies(base: 10_000, dimension: 8)
        #expect(frequencies.count == 4)
        for (index, frequency) in frequencies.enumerated() {
            #expect(abs(Double(frequency) - pow(10, -Double(index))) <= 1e-7 * pow(10, -Double(index)))
        }
        let halved = RotaryScaling.linear(factor: 2).frequencies(base: 10_000, dimension: 8)
        #expect(zip(frequencies, halved).allSatisfy { $0 == 2 * $1 })
    }

    /// At the farthest position too, whatever passes for possible.
    @Test func anglesOfPossibleScalingsAreNumbers() {
        let ends = [1e-12, 1, 1e30]
        for base in ends {
            for factor in ends {
                let all: [RotaryScaling] = [
                    .none, .linear(factor: factor),
                    .llama3(
                        .init(
                            factor: factor, lowFrequencyFactor: 1e-12, highFrequencyFactor: 1e30,
                            originalMaxPositions: 1)),
                    .yarn(
                        .init(
                            factor: factor, originalMaxPositions: 64, betaFast: 1e30, betaSlow: 1e-12,
                            magnitudeScale: 1e6, magnitudeScaleAllDimensions: 1e-300)),
                ]
                let scalings = all.filter { $0.problem(base: base) == nil }
                #expect(scalings.count == (base > 1 ? 4 : 3))
                for scaling in scalings {
                    let angles = scaling.frequencies(base: base, dimension: 128).map { $0 * Float(Int32.max) }
                    #expect(angles.allSatisfy { $0.isFinite }, "\(scaling), base \(base)")
                    #expect(scaling.attentionFactor.isFinite)
                }
            }
        }
    }

    @Test func aScalingIsSavedUnderBothNames() throws {
        let scalings = [
            .none, .linear(factor: 2), Self.llama3,
            .yarn(
                .init(
                    factor: 4, originalMaxPositions: 64, attentionFactor: 1.25, betaFast: 16, betaSlow: 2,
                    magnitudeScale: 0.7, magnitudeScaleAllDimensions: 0.9, truncates: false)),
        ]
        for architecture in ModelConfiguration.Architecture.allCases {
            for scaling in scalings {
                var configuration = try Self.read(#""rope_theta": 7e4"#, model: architecture.rawValue)
                configuration.rotaryScaling = scaling
                let data = try JSONEncoder().encode(configuration)
                #expect(try ConfigurationFile.read(data) == configuration)
                let fields = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
                #expect((fields["rope_scaling"] != nil) == (scaling != .none))
                #expect((fields["rope_parameters"] as? [String: Any])?["rope_theta"] as? Double == 70_000)
            }
        }
    }

    @Test func programsAreHeldToTheSameRules() throws {
        var configuration = try Self.read(#""rope_theta": 7e4"#)
        configuration.rotaryScaling = .linear(factor: .nan)
        let error = try #require(throws: FormatError.self) { try configuration.validate() }
        #expect(error.field == "rope_parameters.factor")
        configuration.rotaryScaling = .none
        configuration.attentionBias = .queryKeyValue
        #expect(throws: FormatError.self) { try configuration.validate() }
    }
}
