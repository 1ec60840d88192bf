import ArgumentParser
import Pipelines

/// `--threads` and `--dtype`, which every command takes.
struct ComputeOptions: ParsableArguments {
    enum NumberFormat: String, ExpressibleByArgument, CaseIterable {
        case f32, bf16
    }

    @Option(help: "Compute threads; 0 takes all cores.")
    var threads = 0

    @Option(help: "Format of the weights in products: f32 (bf16 is not built yet).")
    var dtype = NumberFormat.f32

    /// The number of threads, with 0 resolved.
    var threadCount: Int { threads == 0 ? ProcessorCores.available.count : threads }

    func validate() throws {
        guard (0...1024).contains(threads) else {
            throw ValidationError("--threads is \(threads): it must be 0 for all cores, or 1 to 1024")
        }
        guard dtype == .f32 else {
            throw ValidationError("--dtype bf16 is not built yet; use --dtype f32")
        }
    }
}
