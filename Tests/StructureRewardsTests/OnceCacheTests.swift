import Synchronization
import Testing
import Trajectories

@testable import StructureRewards

/// Counts how often it is asked, and takes its time.
private final class CountingDecomposer: Decomposer {
    private let counts = Mutex<[String: Int]>([:])

    func structure(of text: String, question: String?) async throws -> Structure {
        counts.withLock { $0[text, default: 0] += 1 }
        for _ in 0..<20 { await Task.yield() }
        guard !text.hasPrefix("bad") else { throw DecompositionFailure(reason: "bad", offset: 0, line: 1) }
        return Structure(steps: [Step(metaReasoning: text, subProblem: "", answer: "")])
    }

    var all: [String: Int] { counts.withLock { $0 } }
}

private final class Counter: Sendable {
    private let value = Mutex(0)

    var count: Int { value.withLock { $0 } }

    @discardableResult func increment() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}

@Suite struct OnceCacheTests {
    @Test func decomposesOnceForManyTasks() async throws {
        let decomposer = CountingDecomposer()
        let cache = DecompositionCache(decomposer)
        let texts = (0..<10).map { "text \($0)" } + ["bad 1", "bad 2"]
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<600 {
                let text = texts[index % texts.count]
                group.addTask {
                    let structure = try? await cache.structure(of: text, question: nil)
                    #expect(structure?.steps.first?.metaReasoning == (text.hasPrefix("bad") ? nil : text))
                }
            }
        }
        #expect(decomposer.all.count == texts.count)
        #expect(decomposer.all.values.allSatisfy { $0 == 1 })
        #expect(cache.statistics.misses == texts.count)
    }

    @Test func keysAreBytes() async throws {
        let decomposer = CountingDecomposer()
        let cache = DecompositionCache(decomposer)
        let composed = try await cache.structure(of: "\u{e9}", question: nil)
        let decomposed = try await cache.structure(of: "e\u{301}", question: nil)
        #expect(cache.statistics.misses == 2)
        #expect(composed.steps[0].metaReasoning.utf8.count != decomposed.steps[0].metaReasoning.utf8.count)
        _ = try await cache.structure(of: "\u{e9}", question: "other")
        #expect(cache.statistics.misses == 3)
    }

    @Test func staysWithinCapacity() async throws {
        let cache = OnceCache<Int, Int>(capacity: 4)
        for key in 0..<100 {
            #expect(try await cache.value(for: key) { key * key } == key * key)
            #expect(try await cache.value(for: 0) { 0 } == 0)
            #expect(cache.statistics.count <= 4)
        }
        let misses = cache.statistics.misses
        #expect(misses == 100, "a value that is asked for again and again is kept")
    }

    @Test func nextWaiterTriesAfterAnError() async throws {
        struct Refused: Error {}
        let cache = OnceCache<Int, Int>(capacity: 4)
        let attempts = Counter()
        let results = await withTaskGroup(of: Int?.self, returning: [Int?].self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try? await cache.value(for: 1) {
                        let attempt = attempts.increment()
                        for _ in 0..<20 { await Task.yield() }
                        if attempt <= 3 { throw Refused() }
                        return attempt
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.count { $0 == nil } == 3)
        #expect(results.compactMap { $0 }.allSatisfy { $0 == 4 })
        #expect(attempts.count == 4)
    }

    /// One who waits can be cancelled, and one who computes too: neither keeps the others from their value.
    @Test func cancellationLeavesTheOthers() async throws {
        for _ in 0..<100 {
            let cache = OnceCache<Int, Int>(capacity: 4)
            let tasks = (0..<8).map { index in
                Task {
                    try await cache.value(for: 1) {
                        for _ in 0..<10 {
                            await Task.yield()
                            try Task.checkCancellation()
                        }
                        return 5
                    }
                }
            }
            for task in tasks.prefix(4) { task.cancel() }
            for task in tasks.dropFirst(4) { #expect(try await task.value == 5) }
            for task in tasks.prefix(4) {
                let result = await task.result
                if case .success(let value) = result { #expect(value == 5) }
            }
        }
    }

    @Test func judgesOnce() async throws {
        struct CountingJudge: Judge {
            let count: Counter
            func judge(_ request: JudgementRequest) async throws -> Judgement {
                count.increment()
                await Task.yield()
                return Judgement(isSame: request.teacher == request.student, confidence: 1)
            }
        }
        let counter = Counter()
        let judge = MemoizedJudge(CountingJudge(count: counter))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<300 {
                group.addTask {
                    let request = JudgementRequest(
                        aspect: StepAspect.allCases[index % 3], teacher: "\(index % 5)", student: "0")
                    let isSame = try await judge.judge(request).isSame
                    #expect(isSame == (index % 5 == 0))
                }
            }
            try await group.waitForAll()
        }
        #expect(counter.count == 15)
    }
}
