import Foundation

extension StallReport {
    /// A compact text table: for each stage its share of core time, its busiest phases, and the share of wall time in which it
    /// waited; then the discarded and the idle core time, with causes.
    public var table: String {
        var lines = [
            Self.pad("stage", 16) + Self.head(["busy", "starved", "blocked", "weights", "staleness", "external"])
                + "  phases"
        ]
        for stage in Stage.allCases {
            let shares =
                [share(busySeconds(stage), coreSeconds)]
                + WaitCause.allCases.map { share(waitSeconds(stage, $0), wallSeconds) }
            lines.append(Self.pad(stage.name, 16) + Self.head(shares) + "  " + phases(stage))
        }
        if !discards.isEmpty {
            lines.append(Self.pad("discarded", 16) + Self.head([share(discardedSeconds, coreSeconds)]) + "  " + waste)
        }
        lines.append(Self.pad("idle", 16) + Self.head([share(idleSeconds, coreSeconds)]) + "  " + causes)
        lines.append(
            String(
                format: "%d threads × %.3f s; on a core by the threads' CPU clocks %@; unexplained %.2f %%",
                threads, wallSeconds, share(cpuSeconds, coreSeconds), 100 * unexplained))
        return lines.joined(separator: "\n")
    }

    private func phases(_ stage: Stage) -> String {
        busy.filter { $0.stage == stage }.sorted { $0.seconds > $1.seconds }
            .map { "\($0.phase.name) \(share($0.seconds, coreSeconds))" }.joined(separator: ", ")
    }

    private var waste: String {
        discards.map { row in
            let counts = [(row.work.groups, "groups"), (row.work.rollouts, "rollouts"), (row.work.tokens, "tokens")]
            return "\(row.stage.name) \(row.cause.name) "
                + counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: " ")
        }
        .joined(separator: ", ")
    }

    private var causes: String {
        idle.sorted { $0.seconds > $1.seconds }
            .map { row in
                let cause = row.stage.flatMap { stage in row.cause.map { "\(stage.name) \($0.name)" } } ?? "none"
                return "\(cause) \(share(row.seconds, coreSeconds))"
            }
            .joined(separator: ", ")
    }

    private func share(_ part: Double, _ whole: Double) -> String {
        String(format: "%.1f %%", whole > 0 ? 100 * part / whole : 0)
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func head(_ columns: [String]) -> String {
        columns.map { String(repeating: " ", count: max(1, 10 - $0.count)) + $0 }.joined()
    }
}
