import Foundation
import Kernels
import TestSupport
import Testing

/// What `generate` records and what `logprobs` computes are the same numbers as printed, for every kernel variant that this
/// processor has, precision and family, with other batches, threads, temperatures and filters each time.
@Suite struct ExactnessTests {
    /// A Llama, a Qwen2 and a Qwen3.
    static let models: [String] = {
        let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../ModelsTests/Fixtures")
            .standardizedFileURL.path
        let llama = SharedData.isPresent ? SharedData.path("weights/stories260K") : fixtures + "/llama-tiny"
        return [llama, fixtures + "/qwen2-tiny", fixtures + "/qwen3-untied"]
    }()

    private static let ways: [(temperature: String, filters: [String], batch: String, threads: String)] = [
        ("0", [], "64", "1"), ("0.7", ["--top-k", "7", "--top-p", "0.9"], "1", "3"), ("1", [], "7", "0"),
        ("1.3", ["--top-p", "0.8"], "64", "3"),
    ]

    /// Prompts that end before, at and after the end of a block of keys.
    private static let prompts: [[Int32]] = [1, 15, 16, 17, 32, 47, 64].map { length in
        (0..<length).map { (place: Int) in Int32((place * place * 5 + 3 * length) % 41) }
    }

    private func write(_ rows: [[Int32]], _ folder: TemporaryFolder, _ name: String) throws -> String {
        let lines = rows.enumerated().map { index, tokens in "{\"id\": \(index), \"tokens\": \(tokens)}" }
        return try folder.write(lines.joined(separator: "\n"), to: name)
    }

    /// The numbers of a row's field, as printed.
    private func printed(_ outcome: CommandLineProcess.Outcome) throws -> [[Substring]] {
        try outcome.text.split(separator: "\n").map { line in
            let start = try #require(line.range(of: "\"logprobs\":[")).upperBound
            let end = try #require(line[start...].firstIndex(of: "]"))
            return line[start..<end].split(separator: ",")
        }
    }

    @Test(arguments: InstructionSet.supported, models)
    func recordedLogProbabilitiesAreThoseComputed(variant: InstructionSet, model: String) throws {
        let folder = try TemporaryFolder()
        let prompts = try write(Self.prompts, folder, "prompts.jsonl")
        for precision in ["f32", "bf16"] {
            for way in Self.ways {
                let common = ["--model", model, "--dtype", precision, "--temperature", way.temperature]
                let environment = ["RLKD_ISA": variant.rawValue]
                let generated = try CommandLineProcess.run(
                    [
                        "generate", "--prompts", prompts, "--samples", "2", "--max-new-tokens", "20", "--seed", "3",
                        "--batch", way.batch, "--threads", way.threads,
                    ] + way.filters + common, environment: environment)
                #expect(generated.status == 0, "\(generated.diagnostics)")
                let rows = try generated.rows(GeneratedRow.self)
                try #require(rows.count == 2 * Self.prompts.count)
                let whole = rows.enumerated().map { Self.prompts[$0 / 2] + $1.tokens }
                let scored = try CommandLineProcess.run(
                    [
                        "logprobs", "--tokens", try write(whole, folder, "tokens.jsonl"), "--threads",
                        way.threads == "1" ? "3" : "1",
                    ] + common, environment: environment)
                #expect(scored.status == 0, "\(scored.diagnostics)")
                let recorded = try printed(generated)
                let computed = try printed(scored)
                try #require(computed.count == recorded.count)
                for (place, numbers) in recorded.enumerated() {
                    #expect(
                        computed[place].suffix(numbers.count) == numbers[...],
                        "\(precision), temperature \(way.temperature), row \(place)")
                    #expect(computed[place].count == whole[place].count - 1)
                    #expect(numbers.map { Float($0) } == rows[place].logprobs)
                }
            }
        }
    }
}
