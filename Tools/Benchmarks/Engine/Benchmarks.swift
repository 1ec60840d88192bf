import Benchmark

/// All benchmarks. Times are for reading; the thresholds are counts of allocations, which do not depend on the machine.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration.metrics = [.wallClock, .allocations]
    Benchmark.defaultConfiguration.maxDuration = .seconds(2)
    Benchmark.defaultConfiguration.maxIterations = 1000
    generationBenchmarks()
    learningBenchmarks()
    pipelineBenchmarks()
    textBenchmarks()
}
