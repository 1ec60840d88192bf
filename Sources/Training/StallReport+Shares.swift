import Foundation
import Pipelines

extension StallReport {
    /// The stages' shares of core time on one short line: of the four stages but the problem source, or of imitation's.
    func shares(isImitation: Bool = false) -> String {
        let stages: [(String, Stage)] =
            isImitation
            ? [("source", .problemSource), ("learn", .learning)]
            : [("gen", .rollout), ("score", .scoring), ("learn", .learning)]
        let parts = stages.map { name, stage in
            String(format: "%@ %.0f%%", name, 100 * busySeconds(stage) / max(coreSeconds, .leastNonzeroMagnitude))
        }
        return parts.joined(separator: " ")
            + String(format: " idle %.0f%%", 100 * idleSeconds / max(coreSeconds, .leastNonzeroMagnitude))
    }
}
