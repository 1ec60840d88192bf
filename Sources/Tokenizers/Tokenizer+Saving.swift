import Files
import Foundation

extension Tokenizer {
    /// Writes tokenizer.json and tokenizer_config.json, which `transformers.AutoTokenizer` loads, into an existing
    /// directory.
    ///
    /// A tokenizer read from files writes their bytes unchanged.
    public func save(to directory: URL) throws {
        for (name, data) in files.sorted(by: { $0.key < $1.key }) {
            try data.write(inPlaceOf: directory.appending(path: name))
        }
        guard files[TokenizerFiles.configurationName] == nil else { return }
        let configuration = Data("{\n  \"tokenizer_class\": \"PreTrainedTokenizerFast\"\n}\n".utf8)
        try configuration.write(inPlaceOf: directory.appending(path: TokenizerFiles.configurationName))
    }
}
