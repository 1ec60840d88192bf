import Foundation

extension StallReport {
    /// Columns of the table at most, but for a single word that is longer.
    private static let width = 79

    /// A compact text table: for each stage its share of core time and the share of wall time in which it waited, with its busiest
    /// phases below; then the discarded and the idle core time, with causes.
    public var table: String {
        var lines = [
            Self.row("stage", ["busy", "starved", "blocked", "weights", "staleness", "external"])
        ]
        for stage in Stage.allCases {
            let shares =
                [share(busySeconds(stage), coreSeconds)]
                + WaitCause.allCases.map { share(waitSeconds(stage, $0), wallSeconds) }
            lines.append(Self.row(stage.name, shares))
            lines += Self.wrap(phases(stage))
        }
        if !discards.isEmpty {
            lines.append(Self.row("discarded", [share(discardedSeconds, coreSeconds)]))
            lines += Self.wrap(waste)
        }
        lines.append(Self.row("idle", [share(idleSeconds, coreSeconds)]))
        lines += Self.wrap(causes)
        lines.append(String(format: "%d threads × %.3f s", threads, wallSeconds))
        lines += Self.wrap([
            "on a core by the threads' CPU clocks \(share(cpuSeconds, coreSeconds))",
            String(format: "unexplained %.2f %%", 100 * unexplained),
        ])
        return lines.joined(separator: "\n")
    }

    private func phases(_ stage: Stage) -> [String] {
        busy.filter { $0.stage == stage }.sorted { $0.seconds > $1.seconds }
            .map { "\($0.phase.name) \(share($0.seconds, coreSeconds))" }
    }

    private var waste: [String] {
        discards.map { row in
            let counts = [(row.work.groups, "groups"), (row.work.rollouts, "rollouts"), (row.work.tokens, "tokens")]
            return "\(row.stage.name) \(row.cause.name) "
                + counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: " ")
        }
    }

    private var causes: [String] {
        idle.sorted { $0.seconds > $1.seconds }
            .map { row in
                let cause = row.stage.flatMap { stage in row.cause.map { "\(stage.name) \($0.name)" } } ?? "none"
                return "\(cause) \(share(row.seconds, coreSeconds))"
            }
    }

    private func share(_ part: Double, _ whole: Double) -> String {
        String(format: "%.1f %%", whole > 0 ? 100 * part / whole : 0)
    }

    /// A name and its columns.
    private static func row(_ name: String, _ columns: [String]) -> String {
        func space(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(1, width - text.count))
        }
        return name + space(name, 16) + columns.map { space($0, 10) + $0 }.joined()
    }

    /// Lines, set in, of items with commas between them.
    private static func wrap(_ items: [String]) -> [String] {
        var lines: [String] = []
        for item in items {
            // Room for the comma that may follow.
            if let line = lines.last, line.count + item.count + 3 <= width {
                lines[lines.count - 1] = line + ", " + item
            } else {
                if !lines.isEmpty { lines[lines.count - 1] += "," }
                lines.append("  " + item)
            }
        }
        return lines
    }
}
