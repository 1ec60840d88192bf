import ArgumentParser
import Files
import Pipelines
import StructureRewards
import Tasks

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
        guard report?.isEmpty != true else { throw ValidationError("--report names no file") }
    }

    /// Where rows come from.
    private enum Source {
        /// Rows of teacher and student.
        case rows(file: String)
        /// GSM8K's two files, joined by question.
        case modelSolutions(teacher: String, students: String)

        /// All rows, checked before any is scored.
        func rows() throws -> [ScoreRow] {
            switch self {
            case .rows(let file): try JSONLinesFile(path: file).rows.map { try ScoreRow($0) }
            case .modelSolutions(let teacher, let students):
                try ModelSolutionsFile.scoreRows(students: students, teacher: teacher)
            }
        }
    }

    private func source() throws -> Source {
        switch (input, teacher, students) {
        case (let input?, nil, nil): return .rows(file: input)
        case (nil, let teacher?, let students?): return .modelSolutions(teacher: teacher, students: students)
        default: throw ValidationError("give either --input, or --teacher and --students")
        }
    }

    func run() async throws {
        try await Failure.reporting {
            let reportFile = try report.map {
                try ReportFile($0, inputs: [input, students, teacher].compactMap { $0 })
            }
            let rows = try source().rows()
            let scorer = ScoreOptions(
                decomposer: decomposition.decomposer, judge: scoring.judge, alignment: scoring.alignment,
                compatibility: scoring.compat
            ).makeRowScorer()
            let executor = ComputeExecutor(threads: compute.threadCount)
            defer { executor.shutdown() }
            let scored = try await ParallelRows.run(
                count: rows.count, on: executor, lane: .scoring, into: OrderedRows()
            ) {
                { index in
                    let row = try await scorer.score(rows[index])
                    return (try JSONLine.encode(row), row)
                }
            }
            let summary = SeparationSummary(SeparationReport.byModel(scored))
            try reportFile?.write(summary)
            if !summary.models.isEmpty {
                StandardError.write(summary.table + "\n")
            }
        }
    }
}
