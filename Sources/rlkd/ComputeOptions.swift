import ArgumentParser
import Models
import Pipelines

/// `--threads` and `--dtype`, which every command takes.
struct ComputeOptions: ParsableArguments {
    @Option(help: "Compute threads; 0 takes all cores.")
    var threads = 0

    @Option(help: "Numbers of a model's matrix products, and of its keys and values: f32 or bf16, summed in f32.")
    var dtype = Precision.float32

    /// The number of threads, with 0 resolved.
    var threadCount: Int { threads == 0 ? ProcessorCores.available.count : threads }

    func validate() throws {
        try Self.check(threads: threads)
    }

    /// - Throws: `ValidationError` for a number of threads that no machine has.
    static func check(threads: Int) throws {
        guard (0...1024).contains(threads) else {
            throw ValidationError("--threads is \(threads): it must be 0 for all cores, or 1 to 1024")
        }
    }
}

extension Precision: ExpressibleByArgument {}
