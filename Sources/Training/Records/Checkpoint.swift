import Files
import Foundation
import Kernels
import Learning
import Models
import Tokenizers
import Trajectories

/// A phase at rest on disk: a Hugging Face directory, the optimizer's moments, the finished work that waits, and counters; where
/// adapters are trained, the directory has them merged in, and `adapters` beside them in PEFT's layout.
///
/// It is written beside its place and renamed, so that one that can be seen is whole.
struct Checkpoint: Sendable {
    /// What `state.json` in a checkpoint says.
    struct State: Sendable, Codable {
        var phase: RunPhase
        var version: PolicyVersion
        var optimizerSteps: Int
        /// Resuming gives equal bits under the same kernel variant alone.
        var kernels: String
        /// The numbers that products multiplied; config.json does not say.
        var dtype: Precision
        var seed: UInt64
        /// The phase so far.
        var report: PhaseReport
    }

    private static let stateName = "state.json"
    private static let pipelineName = "pipeline.json"
    private static let momentsName = "optimizer.safetensors"
    private static let adaptersName = "adapters"

    let directory: URL
    let state: State

    /// If the folder has a checkpoint of that version already, only what may have changed since is written anew: the pipeline's
    /// state and the report.
    ///
    /// - Parameters:
    ///   - base: the model that adapters stand on, by path.
    ///   - generation: see `HuggingFaceDirectory.save`.
    ///   - pipeline: the finished work that no update has consumed; nil for a phase without one.
    ///   - keep: checkpoints that stay, this one included; nil for all.
    static func write(
        _ learner: LearnerState, base: String? = nil, pipeline: PipelineState? = nil, phase: RunPhase, seed: UInt64,
        report: PhaseReport, tokenizer: Tokenizer, generation: GenerationConfiguration? = nil, folder: URL, keep: Int?
    ) throws {
        let manager = FileManager.default
        let step = learner.version.rawValue
        let place = Self.place(of: step, in: folder)
        let state = State(
            phase: phase, version: learner.version, optimizerSteps: learner.optimizerSteps,
            kernels: InstructionSet.current.description, dtype: learner.parameters.configuration.precision, seed: seed,
            report: report)
        if Self.isWhole(place) {
            try pipeline?.write(to: place.appending(path: pipelineName))
            try state.write(to: place.appending(path: stateName))
        } else {
            let partial = folder.appending(path: ".step-\(step).partial")
            try? manager.removeItem(at: partial)
            try FileError.writing(partial) {
                try manager.createDirectory(at: partial, withIntermediateDirectories: true)
            }
            try HuggingFaceDirectory.save(learner.model, tokenizer: tokenizer, generation: generation, to: partial)
            try learner.adapters?.save(to: partial.appending(path: adaptersName), base: base)
            try learner.writeMoments(to: partial.appending(path: momentsName))
            try pipeline?.write(to: partial.appending(path: pipelineName))
            try state.write(to: partial.appending(path: stateName))
            try FileError.writing(place) {
                // What stands there and is no checkpoint was passed over when the run resumed.
                if InputFile.isPresent(place) { try manager.removeItem(at: place) }
                try manager.moveItem(at: partial, to: place)
            }
        }
        guard let keep else { return }
        for old in steps(in: folder).dropLast(max(1, keep)) {
            // Renamed first: a removal that is cut short leaves nothing that looks whole.
            let removed = folder.appending(path: ".step-\(old).partial")
            try? manager.removeItem(at: removed)
            try FileError.writing(folder) {
                try manager.moveItem(at: Self.place(of: old, in: folder), to: removed)
                try manager.removeItem(at: removed)
            }
        }
    }

    static func place(of step: Int, in folder: URL) -> URL { folder.appending(path: "step-\(step)") }

    /// Whether a path is that of a checkpoint, not of a file in one: what an error names where the run's settings are others.
    static func isPlace(_ path: String) -> Bool { URL(filePath: path).lastPathComponent.hasPrefix("step-") }

    /// The newest checkpoint in a folder, if there is one.
    static func latest(in folder: URL) throws -> Checkpoint? {
        guard let step = steps(in: folder).last else { return nil }
        let directory = place(of: step, in: folder)
        let file = directory.appending(path: stateName)
        let state = try StateFile.read(State.self, from: file)
        let require = StateFile.requirement(file)
        try require(
            state.version.rawValue == step, "version",
            "is \(state.version.rawValue) in the checkpoint of update \(step)")
        try require(
            StateFile.counts.contains(state.optimizerSteps), "optimizerSteps",
            StateFile.countReason(state.optimizerSteps))
        try state.report.check("report", require)
        return Checkpoint(directory: directory, state: state)
    }

    /// The model, adapters merged in.
    func model() throws -> Parameters {
        let (_, parameters) = try HuggingFaceDirectory.load(directory)
        return state.dtype == .float32 ? parameters : parameters.copy(precision: state.dtype)
    }

    /// What the learner goes on from.
    ///
    /// - Parameters:
    ///   - base: the weights that adapters stand on; nil where all weights are trained.
    ///   - configuration: what the run says of its adapters.
    func learner(adaptersOf base: Parameters?, configuration: AdapterConfiguration? = nil) throws -> LearnerState {
        let adapters = try base.map {
            try Adapters(contentsOf: directory.appending(path: Self.adaptersName), of: $0.configuration)
        }
        if let found = adapters?.configuration, let configuration { try check(found, is: configuration) }
        return try LearnerState(
            parameters: base ?? model(), adapters: adapters, version: state.version,
            optimizerSteps: state.optimizerSteps, moments: directory.appending(path: Self.momentsName))
    }

    /// - Throws: `FormatError` naming the field that is not the run's.
    private func check(_ found: AdapterConfiguration, is wanted: AdapterConfiguration) throws {
        let file = directory.appending(path: "\(Self.adaptersName)/\(Adapters.configurationName)")
        func require(_ isSame: Bool, _ field: String, _ reason: String) throws {
            guard isSame else { throw FormatError(file: file.path, field: field, reason: reason) }
        }
        try require(
            found.rank == wanted.rank, "r", "is \(found.rank) in the checkpoint, \(wanted.rank) in the configuration")
        try require(
            found.alpha == wanted.alpha, "lora_alpha",
            "is \(found.alpha) in the checkpoint, \(wanted.alpha) in the configuration")
        try require(
            found.projections == wanted.projections, "target_modules",
            "are others in the checkpoint than in the configuration")
    }

    /// Where the pipeline's state stands.
    var pipeline: URL { directory.appending(path: Self.pipelineName) }

    /// - Throws: `ConfigurationError` if going on from here would not go on with the same run.
    ///
    /// - Parameter steps: updates of the whole phase.
    func check(phase: RunPhase, seed: UInt64, steps: Int, student: ModelConfiguration) throws {
        func check(_ isSame: Bool, _ key: String, _ reason: String) throws {
            guard isSame else { throw ConfigurationError(source: directory.path, key: key, reason: reason) }
        }
        try check(
            state.phase == phase, "arms",
            "is a checkpoint of \(state.phase.rawValue), not of \(phase.rawValue): resume with the arms of the run")
        try check(state.seed == seed, "seed", "is \(state.seed) in the checkpoint, \(seed) in the configuration")
        try check(
            state.dtype == student.precision, "dtype",
            "is \(state.dtype.rawValue) in the checkpoint, \(student.precision.rawValue) in the configuration")
        try StateFile.requirement(directory.appending(path: Self.stateName))(
            state.version.rawValue <= steps, "version",
            "is \(state.version.rawValue); \(phase.rawValue) has \(steps) updates")
        let shape = try ModelConfiguration(contentsOf: directory.appending(path: "config.json"))
        try check(
            shape.vocabularySize == student.vocabularySize && shape.maxPositions == student.maxPositions
                && shape.hiddenSize == student.hiddenSize && shape.layerCount == student.layerCount
                && (try ParameterLayout(shape)).parameterCount == (try ParameterLayout(student)).parameterCount,
            "student", "has another shape in the checkpoint than in the configuration")
    }

    /// Steps of whole checkpoints, ascending.
    static func steps(in folder: URL) -> [Int] {
        named(in: folder).filter { isWhole(place(of: $0, in: folder)) }
    }

    /// What has a checkpoint's name and is none, such as a directory that was emptied.
    static func strays(in folder: URL) -> [URL] {
        named(in: folder).map { place(of: $0, in: folder) }.filter { !isWhole($0) }
    }

    /// The state is written last, before the directory gets its name.
    private static func isWhole(_ directory: URL) -> Bool {
        InputFile.isPresent(directory.appending(path: stateName))
    }

    /// Steps that something in a folder is named for, ascending.
    private static func named(in folder: URL) -> [Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.compactMap { name in
            guard name.hasPrefix("step-"), let step = Int(name.dropFirst("step-".count)) else { return nil }
            // Not `step-+1` or `step-01`, which no run writes.
            return step >= 0 && name == "step-\(step)" ? step : nil
        }.sorted()
    }
}
