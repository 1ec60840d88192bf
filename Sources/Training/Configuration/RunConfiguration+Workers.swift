import Generation
import Models

extension RunConfiguration {
    /// The rollout workers of a student: as many as were asked for, else what serves an update's rollouts best.
    func rolloutWorkers(threads: Int, _ student: ModelConfiguration) -> Int {
        guard workers == 0 else { return workers }
        return Generator.engines(
            threads: threads, completions: reinforcement.problemsPerBatch * reinforcement.groupSize,
            requests: reinforcement.problemsPerBatch, configuration: student)
    }
}
