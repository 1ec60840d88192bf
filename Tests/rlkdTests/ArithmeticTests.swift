import Foundation
import Kernels
import TestSupport
import Testing

/// A Llama with bfloat16 weights and a head of its own, without a tokenizer that others know (verl's), against transformers
/// (Tools/fixtures/arithmetic.py).
@Suite(.enabled(if: SharedData.isPresent, "the development data is not beside the project"))
struct ArithmeticTests {
    private struct Expected: Decodable {
        var prompt: [Int32]
        var tokens: [Int32]
        var logprobs: [Double]
    }

    private static let model = SharedData.path("weights/verl-arith-llama")

    private func expected() throws -> [Expected] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/arithmetic.json")
        return try JSONDecoder().decode([Expected].self, from: Data(contentsOf: file))
    }

    private func write(_ rows: [[Int32]], _ folder: TemporaryFolder, _ name: String) throws -> String {
        let lines = rows.enumerated().map { index, tokens in "{\"id\": \(index), \"tokens\": \(tokens)}" }
        return try folder.write(lines.joined(separator: "\n"), to: name)
    }

    @Test(arguments: InstructionSet.supported) func greedyIdsAndLogProbabilitiesAreThoseOfTransformers(
        variant: InstructionSet
    ) throws {
        let folder = try TemporaryFolder()
        let expected = try expected()
        let environment = ["RLKD_ISA": variant.rawValue]
        let generated = try CommandLineProcess.run(
            [
                "generate", "--model", Self.model, "--prompts", write(expected.map(\.prompt), folder, "prompts.jsonl"),
                "--max-new-tokens", "30",
            ], environment: environment)
        #expect(generated.status == 0, "\(generated.diagnostics)")
        let rows = try generated.rows(GeneratedRow.self)
        #expect(rows.map(\.tokens) == expected.map(\.tokens))
        #expect(rows.allSatisfy { $0.text == nil })
        let tokens = try write(expected.map { $0.prompt + $0.tokens }, folder, "tokens.jsonl")
        for (precision, bound) in [("f32", 1e-4), ("bf16", 2e-2)] {
            let scored = try CommandLineProcess.run(
                ["logprobs", "--model", Self.model, "--tokens", tokens, "--dtype", precision], environment: environment)
            #expect(scored.status == 0, "\(scored.diagnostics)")
            let found = try scored.rows(LogProbabilitiesRow.self)
            try #require(found.map(\.logprobs.count) == expected.map(\.logprobs.count))
            for (ours, theirs) in zip(found.flatMap(\.logprobs), expected.flatMap(\.logprobs)) {
                #expect(abs(Double(ours) - theirs) < bound, "\(precision)")
            }
        }
    }

    /// Its tokenizer_config.json is of a class of verl's own.
    @Test func textNeedsATokenizer() throws {
        let folder = try TemporaryFolder()
        let prompts = try folder.write("{\"id\": 1, \"prompt\": \"1,2:\"}", to: "prompts.jsonl")
        for options in [[], ["--chat"]] {
            let outcome = try CommandLineProcess.run(
                ["generate", "--model", Self.model, "--prompts", prompts] + options)
            #expect(outcome.status == 65)
            #expect(outcome.diagnostics.contains("tokenizer in \(Self.model)"), "\(outcome.diagnostics)")
            #expect(outcome.output.isEmpty)
        }
    }
}
