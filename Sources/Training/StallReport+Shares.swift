import Foundation
import Pipelines

extension StallReport {
    /// The stages' shares of core time on one short line.
    var shares: String {
        let parts = [("gen", Stage.rollout), ("score", .scoring), ("learn", .learning)].map { name, stage in
            String(format: "%@ %.0f%%", name, 100 * busySeconds(stage) / max(coreSeconds, .leastNonzeroMagnitude))
        }
        return parts.joined(separator: " ")
            + String(format: " idle %.0f%%", 100 * idleSeconds / max(coreSeconds, .leastNonzeroMagnitude))
    }
}
