import ArgumentParser
import Memory
import Models
import Pipelines
import Training

struct BenchKernelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "Matrix products in the shapes of a model.",
        discussion: """
            gemm.DTYPE.FORM.MxNxK: the three products of a linear layer with N outputs and K inputs over M rows. gemv.DTYPE.NxK: one \
            row, weights from memory, held against the peak of reading. Rounding and packing of activations is in the time. The fraction of the peak is that of the same moments: the peak is measured again just before and after every round. Every thread has rows of its own and shares the weights. \
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
            let threads = options.threadCount
            for shape in models { try need(of: shape, threads: threads).check() }
            options.noteThreads()
            let all = await measure(models, threads: threads)
            var report = BenchReport(peaks: all.peaks, results: all.results)
            if threads > 1 { report.singleThread = await measure(models, threads: 1) }
            try options.write(report)
        }
    }

    /// Of the largest product, or of the copies of a matrix; one is measured at a time.
    private func need(of shape: ModelConfiguration, threads: Int) -> MemoryNeed {
        let rows = batch.counts.max() ?? 1
        let largest = ProductShape.matrices(of: shape).map {
            ProductShape(rows: rows, outputs: $0.outputs, depth: $0.depth)
        }
        .max { $0.bytes(threads: threads) < $1.bytes(threads: threads) }
        let fixed = options.shape.cause(of: shape, or: .option("--threads", value: "\(threads)"))
        var need = MemoryNeed()
        // The peak of reading is measured all along.
        need.add(MemoryNeed.program + ModelMemory(shape).stacks(threads: threads) + MachinePeaks.bytes, fixed)
        if let largest, largest.bytes(threads: threads) > VectorProductBench.bytes {
            need.add(largest.weightBytes(threads: threads), fixed)
            need.add(largest.rowBytes(threads: threads), .option("--batch", value: "\(rows)"))
        } else {
            need.add(VectorProductBench.bytes, fixed)
        }
        return need
    }

    /// Passes over all products: what disturbs one seldom lasts through all.
    private static let passes = 3

    private func measure(_ models: [ModelConfiguration], threads: Int) async -> BenchReport.Measurements {
        let executor = ComputeExecutor(threads: threads)
        defer { executor.shutdown() }
        let products = ProductShape.products(of: models, rows: batch.counts).flatMap { shape in
            ProductForm.allCases.map { (form: $0, shape: shape) }
        }
        let vectors = ProductShape.products(of: models, rows: [1])
        let precision = options.compute.dtype
        var peaks = await MachinePeaks.measure(on: executor)
        let source = ReadSource()
        var productRounds = [[TimedRound]](repeating: [], count: products.count)
        var vectorRounds = [[TimedRound]](repeating: [], count: vectors.count)
        for _ in 0..<Self.passes {
            for (index, product) in products.enumerated() {
                productRounds[index] += await ProductBench(product.form, product.shape, precision, threads: threads)
                    .rounds(on: executor)
            }
            // What the products have freed would add to the copies of matrices.
            Allocator.returnFreedMemory()
            for (index, matrix) in vectors.enumerated() {
                vectorRounds[index] += await VectorProductBench(matrix, precision, threads: threads)
                    .rounds(on: executor, reading: source)
            }
        }
        peaks.raise(arithmetic: productRounds.joined(), of: precision, reading: vectorRounds.joined())
        let results =
            products.indices.map { products[$0].shape.result(products[$0].form, precision, productRounds[$0]) }
            + vectors.indices.map { vectors[$0].vectorResult(precision, vectorRounds[$0]) }
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
