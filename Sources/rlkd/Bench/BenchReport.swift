import Foundation
import Models
import Pipelines
import Training

/// What one benchmark found, with the peaks of the same process that it is held against.
struct BenchReport: Encodable {
    struct Measurements: Encodable {
        var peaks: MachinePeaks
        var results: [BenchResult]
    }

    var peaks: MachinePeaks
    var results: [BenchResult]
    /// The same with one thread, where the benchmark measures both.
    var singleThread: Measurements?

    var text: String {
        var parts = [Self.table(peaks, results)]
        if let singleThread { parts.append(Self.table(singleThread.peaks, singleThread.results)) }
        return parts.joined(separator: "\n\n")
    }

    private static func table(_ peaks: MachinePeaks, _ results: [BenchResult]) -> String {
        let header = ["name", "tokens/s", "GFLOPS", "of peak"]
        let title = String(
            format: "%d threads: peak %.1f GFLOPS f32, %.1f bf16, reading %.1f GB/s", peaks.threads, peaks.f32GFLOPS,
            peaks.bf16GFLOPS, peaks.readGBps)
        return title + "\n"
            + TextTable.layOut(
                [header]
                    + results.map { result in
                        [
                            result.name, TextTable.number(result.tokensPerSecond, digits: 0),
                            TextTable.number(result.gigaflops, digits: 1),
                            String(format: "%.1f %%", 100 * result.fractionOfPeak),
                        ]
                    })
    }
}

struct BenchResult: Encodable, Equatable {
    var name: String
    var tokensPerSecond: Double?
    /// 10⁹ floating-point operations a second of all threads together.
    var gigaflops: Double?
    /// Of the measured peak of as many threads: of arithmetic, but of reading for `gemv`. The report's, where it measures the peaks
    /// again.
    var fractionOfPeak = 0.0

    private enum CodingKeys: String, CodingKey {
        case name, tokensPerSecond, fractionOfPeak
        case gigaflops = "GFLOPS"
    }
}

extension BenchReport {
    /// Results of arithmetic in a precision, held against peaks measured before or after them, whichever are higher: on a machine
    /// that others use too, one measurement may fall into a bad moment.
    init(
        _ results: [BenchResult], of precision: Precision, peaks: MachinePeaks,
        measuredAgainOn executor: ComputeExecutor
    ) async {
        var peaks = peaks
        peaks.raise(to: await MachinePeaks.measure(on: executor))
        self.init(
            peaks: peaks,
            results: results.map { result in
                var result = result
                if let gigaflops = result.gigaflops {
                    result.fractionOfPeak = gigaflops / peaks.gigaflops(precision)
                }
                return result
            })
    }
}
