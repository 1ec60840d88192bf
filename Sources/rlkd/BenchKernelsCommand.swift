import ArgumentParser
import Models
import Pipelines
import Training

struct BenchKernelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "Matrix products in the shapes of a model.",
        discussion: """
            gemm.DTYPE.FORM.MxNxK: the three products of a linear layer with N outputs and K inputs over M rows. gemv.DTYPE.NxK: one \
            row, weights from memory, held against the peak of reading. Rounding and packing of activations is in the time. Every thread has rows of its own and shares the weights. \
            More than one thread adds the figures of a single one. Without --model and --shape: both built-in shapes.
            """)

    @Option(help: "Rows, separated by commas.")
    var batch = RowCounts([64, 256, 1024])

    @OptionGroup var options: BenchOptions

    func validate() throws {
        for count in batch.counts { try OptionRange.check(["--batch": count]) }
    }

    func run() async throws {
        try await Failure.reporting {
            let models = try options.shape.configurations(
                default: [.tiny, .small], precision: options.compute.dtype)
            let threads = options.compute.threadCount
            for shape in models { try need(of: shape, threads: threads).check() }
            let all = await measure(models, threads: threads)
            var report = BenchReport(peaks: all.peaks, results: all.results)
            if threads > 1 { report.singleThread = await measure(models, threads: 1) }
            try options.write(report)
        }
    }

    /// Of the largest product; one is measured at a time.
    private func need(of shape: ModelConfiguration, threads: Int) -> MemoryNeed {
        let rows = batch.counts.max() ?? 1
        let largest = ProductShape.matrices(of: shape).map {
            ProductShape(rows: rows, outputs: $0.outputs, depth: $0.depth)
        }
        .max { $0.operations < $1.operations }
        var need = MemoryNeed()
        if let largest {
            need.add(
                largest.weightBytes(threads: threads) + MachinePeaks.bytes + VectorProductBench.bytes,
                options.shape.cause(of: shape, or: .option("--threads", value: "\(threads)")))
            need.add(largest.rowBytes(threads: threads), .option("--batch", value: "\(rows)"))
        }
        return need
    }

    private func measure(_ models: [ModelConfiguration], threads: Int) async -> BenchReport.Measurements {
        let executor = ComputeExecutor(threads: threads)
        defer { executor.shutdown() }
        let peaks = await MachinePeaks.measure(on: executor)
        var results: [BenchResult] = []
        for shape in ProductShape.products(of: models, rows: batch.counts) {
            for form in ProductForm.allCases {
                results.append(
                    await ProductBench(form, shape, options.compute.dtype, threads: threads)
                        .measure(on: executor, peaks: peaks))
            }
        }
        for matrix in ProductShape.products(of: models, rows: [1]) {
            results.append(
                await VectorProductBench(
                    outputs: matrix.outputs, depth: matrix.depth, options.compute.dtype, threads: threads
                )
                .measure(on: executor, peaks: peaks))
        }
        return BenchReport.Measurements(peaks: peaks, results: results)
    }
}

/// Row counts written `64,256,1024`.
struct RowCounts: ExpressibleByArgument {
    var counts: [Int]

    init(_ counts: [Int]) {
        self.counts = counts
    }

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        counts = parts.compactMap { $0 }
        guard counts.count == parts.count else { return nil }
    }

    var defaultValueDescription: String { counts.map(String.init).joined(separator: ",") }
}
