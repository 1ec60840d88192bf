import Foundation
import Generation
import Models
import Pipelines
import Tokenizers

/// Works off a plan on all threads and puts rows out in the plan's order.
struct BatchGeneration: Sendable {
    var plan: GenerationPlan
    var weights: PolicyWeights
    var tokenizer: Tokenizer?
    /// Names the model in errors.
    var model: String
    /// Completions that an engine runs at once, at most.
    var batchCapacity: Int

    /// - Throws: what `rows` throws, and `UnusableModel`.
    func run(on executor: ComputeExecutor, into rows: OrderedRows) async throws {
        let work = WorkList(count: plan.requests.count)
        let engines = plan.engines(threads: executor.running, weights.configuration)
        let sharing = Generator.threadsSharing(
            engines: engines, threads: executor.threads, running: executor.running)
        let capacity = plan.batchCapacity(engines: engines, atMost: batchCapacity)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<engines {
                group.addTask(executorPreference: executor.lane(.rollout)) {
                    try await generate(work, capacity, rows, threads: sharing, running: executor.running)
                }
            }
            // Unlike `waitForAll`, this cancels the others when one throws, as it does when the reader has gone.
            for try await _ in group {}
        }
    }

    private func generate(
        _ work: WorkList, _ capacity: Int, _ rows: OrderedRows, threads: Int, running: Int
    ) async throws {
        let generator = Generator(
            configuration: weights.configuration, batchCapacity: capacity, longestSequence: plan.longestSequence,
            threads: threads, running: running)
        var finished: [Int: [Completion]] = [:]
        while true {
            try Task.checkCancellation()
            while generator.load < capacity, let index = work.claim() {
                try generator.submit(plan.requests[index])
            }
            guard generator.hasWork else { return }
            for completion in generator.step(weights) {
                let index = completion.identifier
                finished[index, default: []].append(completion)
                if finished[index]?.count == plan.requests[index].sampleCount {
                    let samples = finished.removeValue(forKey: index) ?? []
                    try await rows.put(lines(samples, at: index), at: index)
                }
            }
            await Task.yield()
        }
    }

    private func lines(_ samples: [Completion], at index: Int) throws -> Data {
        var lines = Data()
        for completion in samples.sorted(by: { $0.sample < $1.sample }) {
            guard completion.logProbabilities.allSatisfy(\.isFinite) else {
                throw UnusableModel(path: model, row: plan.identifiers[index].description)
            }
            lines.append(
                try JSONLine.encode(
                    CompletionRow(
                        id: plan.identifiers[index], sample: samples.count > 1 ? completion.sample : nil,
                        text: try tokenizer?.text(ofCompletion: completion.tokens),
                        tokens: completion.tokens, logprobs: completion.logProbabilities,
                        finishReason: completion.finishReason)))
        }
        return lines
    }
}
