import Generation
import Models
import Pipelines
import Trajectories

/// One generation engine that serves requests until there are none: a short job a decode step, always with the newest
/// weights.
actor RolloutWorker {
    private let configuration: RolloutConfiguration
    private let generator: Generator
    private let text: @Sendable ([Int32]) throws -> String
    private let store: PolicyStore
    private let clock: StallClock?
    private let prompt: @Sendable (RolloutRequest) throws -> [Int32]
    private let requests: BoundedQueue<RolloutRequest>
    private let output: BoundedQueue<RolloutGroup>
    private var pending: [Int: PendingGroup] = [:]
    /// The groups that a step finished, until they are delivered.
    private var finished: [RolloutGroup] = []
    private var restarted = RestartedPrompts()

    private struct PendingGroup {
        var request: RolloutRequest
        var prompt: [Int32]
        var rollouts: [Rollout] = []
    }

    init(
        configuration: RolloutConfiguration, store: PolicyStore, clock: StallClock?,
        text: @escaping @Sendable ([Int32]) throws -> String,
        prompt: @escaping @Sendable (RolloutRequest) throws -> [Int32],
        requests: BoundedQueue<RolloutRequest>, output: BoundedQueue<RolloutGroup>
    ) {
        self.configuration = configuration
        self.text = text
        self.store = store
        self.clock = clock
        self.prompt = prompt
        self.requests = requests
        self.output = output
        generator = Generator(
            configuration: store.current.configuration, batchCapacity: configuration.batchCapacity,
            longestSequence: configuration.longestSequence, threads: configuration.threads,
            running: configuration.running)
    }

    /// Returns when the requests are drained and every group that was begun is delivered.
    func run() async throws {
        do {
            while try await takeRequests() {
                try Task.checkCancellation()
                for completion in generator.step(store.current) {
                    if let group = try collect(completion) { finished.append(group) }
                }
                countRestarted()
                while let group = finished.first {
                    try await output.send(group)
                    finished.removeFirst()
                }
                await Task.yield()
            }
        } catch {
            countUnfinished()
            throw error
        }
    }

    private func countRestarted() {
        let news = generator.restarted - restarted
        guard news.tokens > 0 else { return }
        restarted = generator.restarted
        clock?.discard(
            DiscardedWork(tokens: news.tokens), stage: .rollout, cause: .swappedWeights,
            seconds: [
                (.prefill, news.prefillSeconds), (.decode, news.decodeSeconds), (.synchronize, news.synchronizeSeconds),
            ])
    }

    /// Counts all that was begun and not delivered.
    private func countUnfinished() {
        let unfinished = generator.unfinished
        let whole = finished.flatMap(\.rollouts) + pending.values.flatMap(\.rollouts)
        clock?.discard(
            DiscardedWork(
                groups: finished.count + pending.count, rollouts: unfinished.rollouts + whole.count,
                tokens: unfinished.tokens + whole.reduce(0) { $0 + $1.tokens.count }),
            stage: .rollout, cause: .cutShort)
    }

    /// Fills the engine as far as it has room; waits for a request only when it has nothing to do.
    ///
    /// - Returns: whether there is work.
    private func takeRequests() async throws -> Bool {
        while generator.load + configuration.groupSize <= max(configuration.batchCapacity, configuration.groupSize) {
            if generator.hasWork {
                guard let request = requests.receiveIfReady() else { return true }
                try submit(request)
            } else {
                guard let request = try await requests.receive() else { return false }
                try submit(request)
            }
        }
        return true
    }

    private func submit(_ request: RolloutRequest) throws {
        do {
            let prompt = try prompt(request)
            try generator.submit(
                GenerationRequest(
                    identifier: request.ordinal, prompt: prompt, sampleCount: configuration.groupSize,
                    maxNewTokens: request.maxNewTokens, sampling: configuration.sampling,
                    endTokens: configuration.endTokens, seed: configuration.seed, problemKey: request.problem.key,
                    visit: request.visit))
            pending[request.ordinal] = PendingGroup(request: request, prompt: prompt)
        } catch {
            throw UnservableProblem(problem: request.problem.id, reason: "\(error)")
        }
    }

    /// The completion's group, if it was the last one missing.
    private func collect(_ completion: Completion) throws -> RolloutGroup? {
        guard var group = pending.removeValue(forKey: completion.identifier) else { return nil }
        group.rollouts.append(
            Rollout(
                sample: completion.sample, prompt: group.prompt, tokens: completion.tokens,
                logProbabilities: completion.logProbabilities, versions: completion.versions,
                isSampled: Array(repeating: true, count: completion.tokens.count),
                finishReason: completion.finishReason,
                text: try text(completion.tokens)))
        guard group.rollouts.count == configuration.groupSize else {
            pending[completion.identifier] = group
            return nil
        }
        return RolloutGroup(request: group.request, rollouts: group.rollouts.sorted { $0.sample < $1.sample })
    }
}

/// A problem that the student cannot be given, with the reason.
public struct UnservableProblem: Error, CustomStringConvertible {
    public var problem: String
    public var reason: String

    public var description: String { "problem \(problem): \(reason)" }
}
