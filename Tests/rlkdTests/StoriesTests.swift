import Foundation
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

    @Test(arguments: ["", "baseline"]) func greedyTextIsThePublishedOne(variant: String) throws {
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
}
