import Foundation
import Kernels
import Learning
import Models
import Tokenizers
import Trajectories

/// A learner at rest on disk: a Hugging Face directory, the optimizer's moments, and counters.
///
/// It is written beside its place and renamed, so that one that can be seen is whole.
enum Checkpoint {
    /// What `state.json` in a checkpoint says.
    struct State: Sendable, Codable {
        var phase: RunPhase
        var version: PolicyVersion
        var optimizerSteps: Int
        /// Resuming gives equal bits under the same kernel variant alone.
        var kernels: String
        var seed: UInt64
    }

    static func write(
        _ learner: LearnerState, phase: RunPhase, seed: UInt64, tokenizer: Tokenizer, folder: URL, keep: Int
    ) throws {
        let manager = FileManager.default
        let step = learner.version.rawValue
        let place = folder.appending(path: "step-\(step)")
        let partial = folder.appending(path: ".step-\(step).partial")
        try? manager.removeItem(at: partial)
        try manager.createDirectory(at: partial, withIntermediateDirectories: true)
        try HuggingFaceDirectory.save(learner.parameters, tokenizer: tokenizer, to: partial)
        try learner.writeMoments(to: partial.appending(path: "optimizer.safetensors"))
        try State(
            phase: phase, version: learner.version, optimizerSteps: learner.optimizerSteps,
            kernels: InstructionSet.current.description, seed: seed
        ).write(to: partial.appending(path: "state.json"))
        try? manager.removeItem(at: place)
        try manager.moveItem(at: partial, to: place)
        for old in steps(in: folder).dropLast(max(1, keep)) {
            try manager.removeItem(at: folder.appending(path: "step-\(old)"))
        }
    }

    /// The newest checkpoint in a folder, if there is one.
    static func latest(in folder: URL) throws -> (state: State, learner: LearnerState)? {
        guard let step = steps(in: folder).last else { return nil }
        let directory = folder.appending(path: "step-\(step)")
        let file = directory.appending(path: "state.json")
        let state: State
        do {
            state = try JSONDecoder().decode(State.self, from: try Data(contentsOf: file))
        } catch {
            throw ConfigurationError(source: file.path, key: "", reason: "is not a checkpoint's state: \(error)")
        }
        let (_, parameters) = try HuggingFaceDirectory.load(directory)
        let learner = try LearnerState(
            parameters: parameters, version: state.version, optimizerSteps: state.optimizerSteps,
            moments: directory.appending(path: "optimizer.safetensors"))
        return (state, learner)
    }

    /// Steps of whole checkpoints, ascending.
    private static func steps(in folder: URL) -> [Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.compactMap { name in
            name.hasPrefix("step-") ? Int(name.dropFirst("step-".count)) : nil
        }.sorted()
    }
}
