import Models
import Pipelines

extension ComputeExecutor {
    /// Packs a directory's weights on all threads; see `StoredWeights.policyWeights`.
    public func weights(of stored: StoredWeights, positions: Int) async throws -> PolicyWeights {
        let lane = lane(.rollout)
        return try await lane.run {
            try stored.policyWeights(positions: positions) { lane.concurrentPerform(tiles: $0, $1) }
        }
    }
}
