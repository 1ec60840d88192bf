import Foundation
import Models
import Testing
import Tokenizers

struct HuggingFaceDirectoryTests {
    @Test(arguments: HuggingFaceFixture.names)
    func parametersAreThoseOfTheFile(name: String) throws {
        let directory = HuggingFaceFixture.directory.appending(path: name)
        let (configuration, parameters) = try HuggingFaceDirectory.load(directory)
        #expect(parameters.configuration == configuration)
        let file = try SafeTensors(url: directory.appending(path: "model.safetensors"))
        #expect(Set(file.tensors.map(\.name)) == Set(parameters.layout.entries.map(\.name)))
        for entry in parameters.layout.entries {
            let loaded = Array(UnsafeBufferPointer(start: parameters.pointer + entry.offset, count: entry.count))
            #expect(loaded == (try file.values(entry.name)), "\(entry.name)")
        }
    }

    @Test(arguments: HuggingFaceFixture.names)
    func savingAndLoadingGivesTheSame(name: String) throws {
        let (configuration, parameters) = try HuggingFaceDirectory.load(
            HuggingFaceFixture.directory.appending(path: name))
        let tokenizer = try Tokenizer.closed(symbols: ["a", "ab"], beginning: "<s>", end: "</s>")
        try HuggingFaceFixture.withDirectory { directory in
            let target = directory.appending(path: "new/model")
            try HuggingFaceDirectory.save(parameters, tokenizer: tokenizer, to: target)
            let (otherConfiguration, other) = try HuggingFaceDirectory.load(target)
            #expect(otherConfiguration == configuration)
            #expect(memcmp(other.pointer, parameters.pointer, 4 * parameters.count) == 0)
            #expect(try Tokenizer(directory: target).encode("aba", addSpecialTokens: true) == [0, 4, 2])
            let names = try FileManager.default.contentsOfDirectory(atPath: target.path).sorted()
            #expect(
                names == [
                    "config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
                    "tokenizer_config.json",
                ])
        }
    }

    @Test(.enabled(if: HuggingFaceFixture.hasSharedWeights, "the shared weights are absent"))
    func realModelsLoad() throws {
        let (stories, weights) = try HuggingFaceDirectory.load(
            HuggingFaceFixture.sharedWeights.appending(path: "stories260K"))
        #expect(stories.vocabularySize == 512)
        #expect(weights.layout.parameterCount == 259_136 + 896)
        let (arithmetic, half) = try HuggingFaceDirectory.load(
            HuggingFaceFixture.sharedWeights.appending(path: "verl-arith-llama"))
        #expect(!arithmetic.tiesEmbeddings)
        #expect(half.layout.parameterCount > 790_000)
    }
}
