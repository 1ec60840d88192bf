import Benchmark
import Memory

extension BenchmarkMetric {
    /// Allocations of an iteration, on the thread that it runs on.
    static var allocations: BenchmarkMetric { .custom("allocations", useScalingFactor: false) }
}

extension Benchmark {
    /// Times `body` once, then runs it once more to count its allocations: counting would slow down what is timed.
    func measure(_ body: () throws -> Void) throws {
        startMeasurement()
        try body()
        stopMeasurement()
        measurement(.allocations, try Allocator.count(body).allocations)
    }

    /// Defines a benchmark whose state is made in the first iteration, which only warms up.
    static func define<State>(
        _ name: String, makeState: @escaping () throws -> State, body: @escaping (State) throws -> Void
    ) {
        var made: State?
        _ = Benchmark(name) { benchmark in
            let state = try made ?? makeState()
            made = state
            try benchmark.measure { try body(state) }
        }
    }
}
