import StructureRewards

extension SeparationReport {
    /// One report for each model, in order of first appearance; rows without `model` are one group, rows without `correct`
    /// are left out. A row that could not be scored counts as reward 0 here, the worst there is.
    static func byModel(_ rows: [ScoredRow]) -> [(model: String?, report: SeparationReport)] {
        var models: [String?] = []
        var rewards: [String?: [(reward: Double, isCorrect: Bool)]] = [:]
        for row in rows {
            guard let correct = row.correct else { continue }
            if rewards[row.model] == nil { models.append(row.model) }
            rewards[row.model, default: []].append((row.reward ?? 0, correct))
        }
        return models.map { ($0, SeparationReport(rewards[$0] ?? [])) }
    }
}
