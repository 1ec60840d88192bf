import Foundation
import Pipelines

extension StallReport {
    /// The stages' shares of core time on one short line: of the four stages but the problem source, or of imitation's; what their
    /// threads spent in looking out for one another stands by itself.
    func shares(isImitation: Bool = false) -> String {
        let stages: [(String, Stage)] =
            isImitation
            ? [("source", .problemSource), ("learn", .learning)]
            : [("gen", .rollout), ("score", .scoring), ("learn", .learning)]
        let waits = Stage.allCases.reduce(0) { $0 + busySeconds($1, .synchronize) }
        let parts =
            stages.map { name, stage in (name, busySeconds(stage) - busySeconds(stage, .synchronize)) }
            + [("sync", waits), ("idle", idleSeconds)]
        return parts.map { name, seconds in
            String(format: "%@ %.0f%%", name, 100 * seconds / max(coreSeconds, .leastNonzeroMagnitude))
        }.joined(separator: " ")
    }
}
