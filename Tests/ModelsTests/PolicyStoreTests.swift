import Testing
import Trajectories

@testable import Models

@Suite struct PolicyStoreTests {
    private let parameters: Parameters

    init() throws {
        parameters = try ModelFixture("llama-tied").parameters
    }

    @Test func aWaiterReturnsOnceItsVersionIsPublished() async throws {
        let store = PolicyStore(PolicyWeights(parameters))
        try await store.wait(for: PolicyVersion(0))
        async let second: Void = store.wait(for: PolicyVersion(2))
        store.publish(parameters, version: PolicyVersion(1))
        store.publish(parameters, version: PolicyVersion(2))
        try await second
        #expect(store.version == PolicyVersion(2))
    }

    @Test func aCancelledWaitEnds() async throws {
        let store = PolicyStore(PolicyWeights(parameters))
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await store.wait(for: PolicyVersion(1)) }
                await Task.yield()
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    @Test func weightsInUseAreNeverWritten() {
        let store = PolicyStore(PolicyWeights(parameters))
        let held = store.current
        let before = held.embeddingValues[5]
        let changed = parameters.copy()
        for index in 0..<changed.count { changed.pointer[index] += 1 }
        for version in 1...4 {
            store.publish(changed, version: PolicyVersion(version))
        }
        #expect(held.version == PolicyVersion(0))
        #expect(held.embeddingValues[5] == before)
        #expect(store.current.embeddingValues[5] == before + 1)
    }
}
