import Foundation
import Pipelines

/// Computes rows on all threads of an executor and puts them out in order as they are ready.
enum ParallelRows {
    /// - Parameter makeWorker: called by each thread's task for what gives the lines of a row and a value of it.
    /// - Returns: the rows' values, in order.
    /// - Throws: what workers and `rows` throw, as soon as one does; the other tasks stop before their next row.
    @discardableResult
    static func run<Value: Sendable>(
        count: Int, on executor: ComputeExecutor, lane: Lane, into rows: OrderedRows,
        _ makeWorker: @escaping @Sendable () -> (_ index: Int) async throws -> (lines: Data, value: Value)
    ) async throws -> [Value] {
        let work = WorkList(count: count)
        return try await withThrowingTaskGroup(of: [(index: Int, value: Value)].self) { group in
            for _ in 0..<min(executor.threads, count) {
                group.addTask(executorPreference: executor.lane(lane)) {
                    let compute = makeWorker()
                    var values: [(index: Int, value: Value)] = []
                    while let index = work.claim() {
                        try Task.checkCancellation()
                        let (lines, value) = try await compute(index)
                        try await rows.put(lines, at: index)
                        values.append((index, value))
                    }
                    return values
                }
            }
            var all: [(index: Int, value: Value)] = []
            // Unlike `waitForAll`, this cancels the others when one throws, as it does when the reader has gone.
            for try await values in group { all += values }
            return all.sorted { $0.index < $1.index }.map(\.value)
        }
    }
}
