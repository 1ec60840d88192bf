import Foundation

/// What may change when a run goes on: nothing that decides its results.
enum ResumedConfiguration {
    /// - Throws: `ConfigurationError` naming a key that differs from the run's own `config.yaml` and may not.
    static func check(_ configuration: RunConfiguration, against file: URL) throws {
        var original = try ConfigurationReader.read(file: file)
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
            source: file.path, key: key,
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
