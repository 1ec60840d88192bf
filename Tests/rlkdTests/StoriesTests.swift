import Foundation
import Kernels
import TestSupport
import Testing

/// The published greedy text of a trained model (stories260K of karpathy/llama2.c).
@Suite(.enabled(if: SharedData.isPresent, "the development data is not beside the project"))
struct StoriesTests {
    private struct Expected: Decodable {
        var text: String
        var ids: [Int32]
        var logProbabilities: [Double]

        private enum CodingKeys: String, CodingKey {
            case text = "greedy_200_steps_from_BOS"
            case ids = "greedy_ids_200"
            case logProbabilities = "logprobs_of_greedy_ids_f64_softmax"
        }
    }

    private func expected() throws -> Expected {
        let file = SharedData.path("weights/stories260K/stories260K.expected.json")
        return try JSONDecoder().decode(Expected.self, from: Data(contentsOf: URL(fileURLWithPath: file)))
    }

    private func generate(tokens: Int, variant: String) throws -> GeneratedRow {
        let outcome = try CommandLineProcess.run(
            [
                "generate", "--model", SharedData.path("weights/stories260K"), "--temperature", "0", "--max-new-tokens",
                "\(tokens)",
            ], environment: ["RLKD_ISA": variant])
        #expect(outcome.status == 0, "\(outcome.diagnostics)")
        return try #require(try outcome.rows(GeneratedRow.self).first)
    }

    @Test(arguments: InstructionSet.supported.map(\.rawValue))
    func greedyTextIsThePublishedOne(variant: String) throws {
        let expected = try expected()
        let row = try generate(tokens: 199, variant: variant)
        #expect([1] + row.tokens == expected.ids)
        #expect(row.logprobs.count == expected.logProbabilities.count)
        for (ours, theirs) in zip(row.logprobs, expected.logProbabilities) {
            #expect(abs(Double(ours) - theirs) < 1e-4)
        }
        #expect(row.finishReason == "length")
        // The published ids count the beginning; the published text has one token more.
        #expect(row.text.map { expected.text.hasPrefix($0) } == true)
        #expect(try generate(tokens: 200, variant: variant).text == expected.text)
    }

    /// Its generation_config.json asks for no sampling.
    @Test func greedyIsTheModelsOwnDefault() throws {
        let outcome = try CommandLineProcess.run(["generate", "--model", SharedData.path("weights/stories260K")])
        let row = try #require(try outcome.rows(GeneratedRow.self).first)
        #expect(try row.text?.hasPrefix(expected().text) == true)
    }

    #if arch(x86_64)
        /// A processor without AVX: code of another kernel variant that the linker put in a shared place would end it.
        @Test(
            .enabled(if: Emulator.executable != nil, "qemu-x86_64 is not on the path"),
            .enabled(if: Emulator.hasProgram, "the program is not beside the test bundle"))
        func greedyTextIsThePublishedOneOnNehalem() throws {
            let emulator = try #require(Emulator.executable)
            // The emulated processor may lack what the environment asks of this one.
            let ownChoice = [InstructionSet.environmentName: ""]
            let outcome = try CommandLineProcess.run(
                emulator,
                [
                    "-cpu", "Nehalem", CommandLineProcess.executable.path, "generate", "--model",
                    SharedData.path("weights/stories260K"), "--temperature", "0", "--max-new-tokens", "20",
                ], environment: ownChoice)
            #expect(outcome.status == 0, "\(outcome.diagnostics)")
            let row = try #require(try outcome.rows(GeneratedRow.self).first)
            #expect(try [1] + row.tokens == Array(expected().ids.prefix(21)))
            let machine = try CommandLineProcess.run(
                emulator, ["-cpu", "Nehalem", CommandLineProcess.executable.path, "info", "--json"],
                environment: ownChoice)
            #expect(machine.text.contains("\"supported\" : [\n      \"baseline\"\n    ]"), "\(machine.text)")
        }
    #endif
}

/// Runs a program as on another processor.
private enum Emulator {
    /// Nil where there is none on the path.
    static let executable: URL? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { URL(fileURLWithPath: String($0)).appending(path: "qemu-x86_64") }
        .first { FileManager.default.isExecutableFile(atPath: $0.path) }

    static var hasProgram: Bool {
        FileManager.default.isExecutableFile(atPath: CommandLineProcess.executable.path)
    }
}
