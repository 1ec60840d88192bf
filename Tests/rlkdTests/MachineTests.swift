import Foundation
import Models
import Pipelines
import Testing

@testable import rlkd

/// `info` and `bench`.
@Suite struct MachineTests {
    @Test func informationIsComplete() throws {
        struct Information: Decodable {
            struct Kernels: Decodable {
                var supported: [String]
                var chosen: String
            }

            struct Allocation: Decodable {
                struct Statistics: Decodable {
                    var version: String
                    var arenas: Int
                    var allocatedBytes: Int
                    var residentBytes: Int
                }

                var isProcessAllocator: Bool
                var statistics: Statistics
            }

            var processor: String
            var cores: Int
            var threads: Int
            var kernels: Kernels
            var allocator: Allocation
        }
        let outcome = try CommandLineProcess.run(
            ["info", "--json", "--threads", "3"], environment: ["RLKD_ISA": "baseline"])
        #expect(outcome.status == 0)
        let information = try JSONDecoder().decode(Information.self, from: outcome.output)
        #expect(information.threads == 3)
        #expect(information.cores >= 1)
        #expect(information.kernels.chosen == "baseline")
        #expect(information.kernels.supported.first == "baseline")
        #expect(information.allocator.isProcessAllocator)
        #expect(information.allocator.statistics.version.first?.isNumber == true)
        #expect(information.allocator.statistics.arenas > 0)
        #expect(information.allocator.statistics.allocatedBytes > 0)
        #expect(information.allocator.statistics.residentBytes > 0)
        let text = try CommandLineProcess.run(["info"]).text
        #expect(text.contains("jemalloc") && text.contains("yes, proved"))
    }

    private struct Report: Decodable {
        struct Peaks: Decodable {
            var f32GFLOPS: Double
            var readGBps: Double
            var threads: Int
        }

        struct Result: Decodable {
            var name: String
            var tokensPerSecond: Double?
            var gigaflops: Double?
            var fractionOfPeak: Double

            private enum CodingKeys: String, CodingKey {
                case name, tokensPerSecond, fractionOfPeak
                case gigaflops = "GFLOPS"
            }
        }

        var peaks: Peaks
        var results: [Result]
    }

    private func bench(_ arguments: String...) throws -> Report {
        let model = try ModelFixture()
        let outcome = try CommandLineProcess.run(
            ["bench"] + arguments + ["--model", model.path, "--json", "--threads", "1"])
        #expect(outcome.status == 0, "\(outcome.diagnostics)")
        let report = try JSONDecoder().decode(Report.self, from: outcome.output)
        #expect(report.peaks.f32GFLOPS > 0 && report.peaks.readGBps > 0 && report.peaks.threads == 1)
        for result in report.results {
            let rate = try #require(result.gigaflops)
            #expect(rate > 0 && result.fractionOfPeak > 0)
            let ofHighest = rate / report.peaks.f32GFLOPS
            switch result.name.prefix(4) {
            case "gemv": break
            // Of the peak in the same moments, which the report's is the highest of.
            case "gemm": #expect(result.fractionOfPeak > ofHighest - 1e-9)
            default: #expect(abs(result.fractionOfPeak - ofHighest) < 1e-9)
            }
        }
        return report
    }

    @Test func kernelsAreNamedByTheModelsShapes() throws {
        let names = try bench("kernels", "--batch", "8").results.map(\.name)
        #expect(names.contains("gemm.f32.forward.8x64x32"))
        #expect(names.contains("gemm.f32.inputGradient.8x96x32"))
        #expect(names.contains("gemm.f32.weightGradient.8x32x48"))
        #expect(names.contains("gemv.f32.96x32"))
        #expect(Set(names).count == names.count)
    }

    @Test func benchmarksRunNoMoreThreadsThanCores() throws {
        let cores = ProcessorCores.available.count
        let model = try ModelFixture()
        let outcome = try CommandLineProcess.run([
            "bench", "rollout", "--model", model.path, "--json", "--threads", "\(cores + 3)", "--batch", "6",
            "--prompt", "40", "--new", "2", "--group", "3",
        ])
        #expect(outcome.status == 0, "\(outcome.diagnostics)")
        #expect(try JSONDecoder().decode(Report.self, from: outcome.output).peaks.threads == cores)
        #expect(outcome.diagnostics.contains("--threads is \(cores + 3)"))
    }

    @Test func rolloutAndLearnerGiveTokensPerSecond() throws {
        let rollout = try bench("rollout", "--batch", "3", "--prompt", "8", "--new", "8")
        #expect(rollout.results.map(\.name) == ["decode", "prefill"])
        #expect(rollout.results.allSatisfy { ($0.tokensPerSecond ?? 0) > 0 })
        let learner = try bench("learner", "--batch", "3", "--prompt", "5", "--length", "6")
        #expect(learner.results.map(\.name) == ["train", "grpo"])
        #expect(learner.results.allSatisfy { ($0.tokensPerSecond ?? 0) > 0 })
    }

    @Test func operationsAreCountedAsStated() {
        let shape = ModelConfiguration(
            hiddenSize: 8, intermediateSize: 12, layerCount: 3, attentionHeadCount: 2, keyValueHeadCount: 1,
            vocabularySize: 10, maxPositions: 32)
        let count = OperationCount(configuration: shape)
        // Queries 8×8, keys and values 4×8 each, output 8×8, gate, up and down 12×8 each.
        #expect(count.layerWeights == 3 * (64 + 32 + 32 + 64 + 3 * 96))
        #expect(count.forward(rows: 5, logits: 2, context: 7) == Double(2 * 5 * 1440 + 2 * 2 * 80 + 4 * 3 * 8 * 7 * 5))
        #expect(count.training(rows: 5, logits: 2, context: 7) == 3 * count.forward(rows: 5, logits: 2, context: 7))
        // Two layers whole; of the last one five tokens' queries, keys and values, and one token's all else, which sees all five.
        let attention = 2 * (1 + 2 + 3 + 4 + 5) + 5
        #expect(
            count.prefill(5) == Double(2 * (2 * 5 * 480 + 5 * 128 + 352) + 2 * 80 + 4 * 8 * attention))
    }

    @Test func rowCountsAreLists() {
        #expect(RowCounts(argument: "64,256")?.counts == [64, 256])
        #expect(RowCounts(argument: "64,") == nil)
        #expect(RowCounts(argument: "") == nil)
    }
}
