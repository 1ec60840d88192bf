import StructureRewards
import Training

/// How well a reward separates correct from incorrect paths, for each model.
struct SeparationSummary: Encodable {
    struct Model: Encodable {
        /// Null for rows that name no model.
        var model: String?
        var report: SeparationReport
    }

    var models: [Model]

    init(_ reports: [(model: String?, report: SeparationReport)]) {
        models = reports.map { Model(model: $0.model, report: $0.report) }
    }

    var table: String {
        let header = ["model", "correct", "incorrect", "mean, correct", "mean, incorrect", "AUC", "95 % interval"]
        return TextTable.layOut(
            [header]
                + models.map { entry in
                    let report = entry.report
                    let interval =
                        report.lowerBound == nil
                        ? "–" : "\(TextTable.number(report.lowerBound)) to \(TextTable.number(report.upperBound))"
                    return [
                        entry.model ?? "all", "\(report.correctCount)", "\(report.incorrectCount)",
                        TextTable.number(report.correctMean), TextTable.number(report.incorrectMean),
                        TextTable.number(report.areaUnderCurve), interval,
                    ]
                })
    }
}
