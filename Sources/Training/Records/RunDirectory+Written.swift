import Foundation

extension RunDirectory {
    /// What a run has left for its user, of what is there: the summary first, then the metrics, the sampled rollouts, the last
    /// checkpoint of every phase and the timeline.
    var written: [URL] {
        let manager = FileManager.default
        let phases = RunPhase.allCases.map { checkpoints.appending(path: $0.rawValue) }
        let latest = (phases + [checkpoints]).compactMap { folder in
            Checkpoint.steps(in: folder).last.map { folder.appending(path: "step-\($0)") }
        }
        return ([summary, metrics, rollouts] + latest + [trace]).filter { manager.fileExists(atPath: $0.path) }
    }
}
