import Glibc
import Memory
import Pipelines
import Synchronization
import Testing

@Suite struct ComputeExecutorTests {
    @Test func childTasksAndActorsRunOnComputeThreads() async {
        let executor = ComputeExecutor(threads: 3, pinned: false)
        defer { executor.shutdown() }
        let worker = CountingActor()
        await withTaskGroup(of: Bool.self) { group in
            for index in 0..<200 {
                group.addTask(executorPreference: executor.lane(Lane.allCases[index % 3])) {
                    var isCompute = onComputeThread()
                    isCompute = await worker.count() && isCompute
                    await Task.yield()
                    return onComputeThread() && isCompute
                }
            }
            for await isCompute in group {
                #expect(isCompute)
            }
        }
        #expect(await worker.counted == 200)
        #expect(!onComputeThread())
    }

    @Test func runGivesBackTheResultAndTheError() async throws {
        struct Refusal: Error {}
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let name = await executor.lane(.scoring).run { onComputeThread() }
        #expect(name)
        await #expect(throws: Refusal.self) {
            try await executor.lane(.learner).run { throw Refusal() }
        }
    }

    @Test func tilesRunOnceEach() {
        let executor = ComputeExecutor(threads: 4, pinned: false)
        defer { executor.shutdown() }
        for tiles in [0, 1, 2, 3, 17, 256] {
            let counts = (0..<max(1, tiles)).map { _ in Counter() }
            executor.concurrentPerform(tiles: tiles, lane: .learner) { counts[$0].add() }
            #expect(counts.prefix(tiles).allSatisfy { $0.value == 1 })
        }
    }
}

func onComputeThread() -> Bool {
    ComputeExecutor.isComputeThread && threadName().hasPrefix("rlkd-core-")
}

/// The kernel's name of the present thread.
func threadName() -> String {
    guard let file = fopen("/proc/thread-self/comm", "r") else { return "" }
    defer { fclose(file) }
    var name = [CChar](repeating: 0, count: 32)
    guard fgets(&name, 32, file) != nil else { return "" }
    return String(decoding: name.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

actor CountingActor {
    private(set) var counted = 0

    func count() -> Bool {
        counted += 1
        return onComputeThread()
    }
}

final class Counter: Sendable {
    private let count = Atomic(0)

    func add() {
        count.wrappingAdd(1, ordering: .relaxed)
    }

    var value: Int { count.load(ordering: .relaxed) }
}
