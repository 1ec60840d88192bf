import Foundation
import Models
import Tokenizers

/// A model of random weights with a tokenizer of its own, in a folder that goes with it.
struct ModelFixture {
    static let context = 64

    let folder: TemporaryFolder
    var path: String { folder.url.path }

    init() throws {
        folder = try TemporaryFolder()
        let tokenizer = try Tokenizer.closed(
            symbols: [" one", " two", " plus", " is", "a", "b", "c", "d"], beginning: "<s>", end: "</s>")
        let configuration = ModelConfiguration(
            hiddenSize: 32, intermediateSize: 48, layerCount: 2, attentionHeadCount: 4, keyValueHeadCount: 2,
            vocabularySize: tokenizer.vocabularySize, maxPositions: Self.context, beginningToken: tokenizer.beginning,
            endTokens: tokenizer.end.map { [$0] } ?? [])
        // Far from uniform, so that errors show.
        let parameters = try Parameters.randomized(configuration: configuration, seed: 3)
        for index in 0..<parameters.count { parameters.pointer[index] *= 8 }
        try HuggingFaceDirectory.save(parameters, tokenizer: tokenizer, to: folder.url)
    }
}

/// A row that `rlkd generate` writes.
struct GeneratedRow: Decodable, Equatable {
    enum Identifier: Decodable, Equatable {
        case text(String)
        case number(Int)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int.self) {
                self = .number(number)
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }

    var id: Identifier
    var sample: Int?
    var text: String?
    var tokens: [Int32]
    var logprobs: [Float]
    var finishReason: String
}

/// A row that `rlkd logprobs` writes.
struct LogProbabilitiesRow: Decodable {
    var id: GeneratedRow.Identifier
    var logprobs: [Float]
}
