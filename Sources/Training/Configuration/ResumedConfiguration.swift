import Foundation

/// What may change when a run goes on: nothing that decides its results.
enum ResumedConfiguration {
    /// - Parameter state: of the run; one without a configuration leaves `config.yaml` to be believed.
    /// - Throws: `ConfigurationError` naming a key that differs from what the run was started with and may not.
    static func check(_ configuration: RunConfiguration, _ state: RunState, in directory: RunDirectory) throws {
        let file = state.configuration == nil ? directory.configuration : directory.state
        var original =
            if let text = state.configuration {
                try ConfigurationReader.read(text: text, source: file)
            } else {
                try ConfigurationReader.read(file: file)
            }
        original.output = configuration.output
        original.threads = configuration.threads
        original.workers = configuration.workers
        original.checkpoints = configuration.checkpoints
        guard original != configuration else { return }
        let reader = JSONEncoder()
        reader.outputFormatting = .sortedKeys
        let before = try JSONSerialization.jsonObject(with: reader.encode(original)) as? [String: Any] ?? [:]
        let after = try JSONSerialization.jsonObject(with: reader.encode(configuration)) as? [String: Any] ?? [:]
        let key = difference(before, after) ?? ""
        throw ConfigurationError(
            source: directory.configuration.path, key: key,
            reason: "differs from what the run was started with; a resumed run may change output, threads, workers and "
                + "checkpoints alone")
    }

    /// Dotted path of the first key whose values differ.
    private static func difference(_ before: [String: Any], _ after: [String: Any]) -> String? {
        for key in Set(before.keys).union(after.keys).sorted() {
            if let left = before[key] as? [String: Any], let right = after[key] as? [String: Any] {
                if let rest = difference(left, right) { return key + "." + rest }
            } else if !NSDictionary(dictionary: ["value": before[key] ?? NSNull()])
                .isEqual(to: ["value": after[key] ?? NSNull()])
            {
                return key
            }
        }
        return nil
    }
}
