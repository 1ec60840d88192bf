import ArgumentParser
import Foundation
import StructureRewards

struct ScoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Structure rewards of students' paths against teachers', each step explained.",
        discussion: """
            Rows in: {"id", "teacher", "student", "question"?, "correct"?, "model"?}, a path being text or a structure. Rows \
            out, in the same order: {"id", "reward", "steps", "studentSteps", "teacherSteps", "error", …}. Or the files of \
            GSM8K: --teacher test_socratic.jsonl --students example_model_solutions.jsonl. Where rows say which paths are \
            correct, how well the reward tells them apart (the area under the ROC curve, with its 95 % interval) follows for \
            each model on standard error.
            """)

    @Option(help: "Rows of teacher and student.")
    var input: String?

    @Option(help: "GSM8K's labelled solutions.")
    var teacher: String?

    @Option(help: "GSM8K's model solutions, joined with the teacher's by question.")
    var students: String?

    @Option(help: "Where the separation report goes as JSON.")
    var report: String?

    @OptionGroup var decomposition: DecompositionOptions
    @OptionGroup var scoring: ScoringOptions
    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        _ = try source()
    }

    private func source() throws -> ScoreCommandLogic.Input {
        switch (input, teacher, students) {
        case (let input?, nil, nil): return .rows(file: input)
        case (nil, let teacher?, let students?): return .modelSolutions(teacher: teacher, students: students)
        default: throw ValidationError("give either --input, or --teacher and --students")
        }
    }

    func run() async throws {
        try await Failure.reporting {
            let logic = ScoreCommandLogic(
                input: try source(),
                options: ScoreOptions(
                    decomposer: decomposition.decomposer, judge: scoring.judge, alignment: scoring.alignment,
                    compatibility: scoring.compat))
            let rows = try logic.rows()
            let reportFile = try report.map { try ReportFile($0) }
            let separation = try await logic.score(rows) { try StandardOutput.write(row: $0) }
            let summary = SeparationSummary(separation)
            try reportFile?.write(summary)
            if !summary.models.isEmpty {
                FileHandle.standardError.write(Data((summary.table + "\n").utf8))
            }
        }
    }
}
