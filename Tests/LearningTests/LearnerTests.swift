import Foundation
import Generation
import Memory
import Models
import Pipelines
import Synchronization
import Testing
import Trajectories

@testable import Learning

/// A learner on a small model, with all that it needs.
struct LearnerHarness {
    let parameters: Parameters
    let adapters: Adapters?
    let store: PolicyStore
    let learner: Learner

    init(
        _ parameters: Parameters, adapters: Adapters? = nil, activations: ActivationStorage = .kept,
        loss: GroupRelativeLoss = GroupRelativeLoss(), reference: Parameters? = nil,
        temperature: Float = 1, microBatchRows: Int = 40, learningRate: Double = 3e-3,
        lane: any TaskExecutor, threads: Int, cores: Int = .max
    ) {
        self.parameters = parameters.copy()
        self.adapters = adapters?.copy()
        store = PolicyStore(PolicyWeights(self.parameters, adapters: self.adapters))
        learner = Learner(
            parameters: self.parameters, adapters: self.adapters, version: PolicyVersion(0),
            configuration: LearnerConfiguration(
                optimizer: OptimizerConfiguration(weightDecay: 0.1),
                schedule: LearningRateSchedule(
                    peak: learningRate, warmupSteps: 2, totalSteps: 10, shape: .linear), loss: loss,
                temperature: temperature, microBatchRows: microBatchRows, activations: activations),
            reference: reference, store: store, lane: lane, threads: threads, cores: cores)
    }
}

extension LearnerState {
    var momentBits: [UInt32] {
        [firstMoment.pointer, secondMoment.pointer].flatMap { moment in
            (0..<(adapters?.count ?? parameters.count)).map { moment[$0].bitPattern }
        }
    }
}

@Suite(.timeLimit(.minutes(30))) struct LearnerTests {
    private let parameters: Parameters
    private let groups: [ScoredGroup]

    init() throws {
        parameters = try TestModel.parameters()
        groups = try TestModel.groups(PolicyWeights(parameters))
    }

    private var demonstrations: [Demonstration] {
        groups.flatMap { group in
            group.rollouts.map { Demonstration(prompt: $0.rollout.prompt, completion: $0.rollout.tokens) }
        }
    }

    private struct Trained: Equatable {
        var bits: [UInt32]
        var metrics: [UpdateMetrics]
    }

    /// Two updates of each kind; weights, moments and metrics.
    private func train(_ harness: LearnerHarness) async throws -> Trained {
        var metrics: [UpdateMetrics] = []
        for _ in 0..<2 {
            metrics.append(try await harness.learner.learn(from: groups))
            metrics.append(try await harness.learner.imitate(demonstrations))
        }
        let state = try await harness.learner.state()
        return Trained(bits: harness.parameters.bits + state.momentBits, metrics: metrics)
    }

    @Test func theNumberOfThreadsLeavesNoTrace() async throws {
        var first: Trained?
        for threads in [1, 2, 3, 5] {
            let executor = ComputeExecutor(threads: threads, pinned: false)
            defer { executor.shutdown() }
            let result = try await train(
                LearnerHarness(parameters, lane: executor.lane(.learner), threads: threads))
            if let first {
                #expect(result == first)
            } else {
                first = result
            }
        }
        #expect(first?.bits.prefix(parameters.count).elementsEqual(parameters.bits) == false)
    }

    /// As many passes as cores, which any of the threads may share.
    @Test(arguments: [1, 2, 4]) func theNumberOfCoresLeavesNoTrace(cores: Int) async throws {
        let executor = ComputeExecutor(threads: 5, pinned: false)
        defer { executor.shutdown() }
        let bounded = LearnerHarness(parameters, lane: executor.lane(.learner), threads: 5, cores: cores)
        let free = LearnerHarness(parameters, lane: executor.lane(.learner), threads: 5)
        let results = [try await train(bounded), try await train(free)]
        #expect(results[0] == results[1])
    }

    /// The seed decides which job goes on next, so gradients are ready in any order.
    @Test func theOrderInWhichJobsEndLeavesNoTrace() throws {
        var first: Trained?
        for seed in 0..<12 {
            let executor = EmbeddedExecutor(seed: UInt64(seed))
            let harness = LearnerHarness(parameters, lane: executor, threads: 4)
            let result = try executor.run { try await train(harness) }
            if let first {
                #expect(result == first)
            } else {
                first = result
            }
        }
    }

    @Test func onPolicyTheRatioIsOne() async throws {
        for sampling in [
            SamplingParameters(), SamplingParameters(temperature: 0.6), SamplingParameters(temperature: 1.3, topK: 5),
            SamplingParameters(topP: 0.8),
        ] {
            let executor = ComputeExecutor(threads: 2, pinned: false)
            defer { executor.shutdown() }
            let groups = try TestModel.groups(PolicyWeights(parameters), sampling: sampling)
            let harness = LearnerHarness(
                parameters, temperature: sampling.temperature, lane: executor.lane(.learner), threads: 2)
            let update = try await harness.learner.learn(from: groups)
            #expect(update.ratioDeviation == 0)
            #expect(update.ratio == 1)
            #expect(update.clipFraction == 0)
            #expect(update.behaviourDivergence == 0)
            #expect(update.tokens == groups.reduce(0) { $0 + $1.rollouts.reduce(0) { $0 + $1.rollout.tokens.count } })
            #expect(update.gradientNorm > 0)
            // The next version is another policy.
            #expect(try await harness.learner.learn(from: groups).ratioDeviation > 0)
        }
    }

    @Test func versionsAndStepsCountUpdates() async throws {
        let executor = ComputeExecutor(threads: 1, pinned: false)
        defer { executor.shutdown() }
        let harness = LearnerHarness(parameters, lane: executor.lane(.learner), threads: 1)
        for step in 1...3 {
            let update = try await harness.learner.learn(from: groups)
            #expect(update.step == step)
            #expect(update.version == PolicyVersion(step))
            #expect(harness.store.version == PolicyVersion(step))
            #expect(await harness.learner.version == PolicyVersion(step))
            #expect(abs(update.learningRate - [1.5e-3, 3e-3, 3e-3][step - 1]) < 1e-12)
        }
        // What was published is what was learned.
        let pass = Backpropagation(configuration: parameters.configuration)
        var batch = TrainingBatch()
        batch.append(prompt: [1, 2, 3], completions: [[4, 5, 6]])
        pass.forward(batch, weights: harness.store.current, temperature: 1)
        let published = Array(pass.logProbabilities)
        pass.forward(batch, weights: PolicyWeights(harness.parameters), temperature: 1)
        #expect(published == Array(pass.logProbabilities))
    }

    @Test func updatesRaiseWhatWasRewarded() async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let harness = LearnerHarness(parameters, lane: executor.lane(.learner), threads: 2)
        var rewards: [Double] = []
        for _ in 0..<9 {
            let groups = try TestModel.groups(harness.store.current, size: 8)
            let all = groups.flatMap(\.rollouts).map(\.reward.total)
            rewards.append(all.reduce(0, +) / Double(all.count))
            _ = try await harness.learner.learn(from: groups)
        }
        #expect(rewards[6...].reduce(0, +) > rewards[..<3].reduce(0, +) + 1)
    }

    @Test func theReferenceIsTheModelThatWasGiven() async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let loss = GroupRelativeLoss(referenceWeight: 0.2)
        let itself = LearnerHarness(parameters, loss: loss, lane: executor.lane(.learner), threads: 2)
        #expect(try await itself.learner.learn(from: groups).referenceDivergence == 0)
        let other = try TestModel.parameters(seed: 8)
        let harness = LearnerHarness(
            parameters, loss: loss, reference: other, lane: executor.lane(.learner), threads: 2)
        var expected = 0.0
        var tokens = 0
        for group in groups {
            var batch = TrainingBatch()
            batch.append(prompt: group.rollouts[0].rollout.prompt, completions: group.rollouts.map(\.rollout.tokens))
            let pass = Backpropagation(configuration: parameters.configuration)
            pass.forward(batch, weights: PolicyWeights(parameters), temperature: 1)
            let current = pass.logProbabilities.map(Double.init)
            pass.forward(batch, weights: PolicyWeights(other), temperature: 1)
            for (current, reference) in zip(current, pass.logProbabilities.map(Double.init)) {
                expected += exp(reference - current) - (reference - current) - 1
                tokens += 1
            }
        }
        let update = try await harness.learner.learn(from: groups)
        #expect(abs(update.referenceDivergence - expected / Double(tokens)) < 1e-4 * expected)
        #expect(update.referenceDivergence > 0.01)
    }

    // MARK: Rest and resumption

    @Test func aLearnerGoesOnFromItsStateBitForBit() async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let whole = LearnerHarness(parameters, lane: executor.lane(.learner), threads: 2)
        var metrics: [UpdateMetrics] = []
        for _ in 0..<4 { metrics.append(try await whole.learner.learn(from: groups)) }

        let early = LearnerHarness(parameters, lane: executor.lane(.learner), threads: 2)
        for _ in 0..<2 { _ = try await early.learner.learn(from: groups) }
        let file = FileManager.default.temporaryDirectory.appending(path: "moments-\(UUID().uuidString).safetensors")
        defer { try? FileManager.default.removeItem(at: file) }
        let state = try await early.learner.state()
        try state.writeMoments(to: file)
        let read = try LearnerState(
            parameters: state.parameters, version: state.version, optimizerSteps: state.optimizerSteps, moments: file)

        let resumed = read.parameters.copy()
        let learner = Learner(
            parameters: resumed, version: read.version,
            configuration: LearnerConfiguration(
                optimizer: OptimizerConfiguration(weightDecay: 0.1),
                schedule: LearningRateSchedule(peak: 3e-3, warmupSteps: 2, totalSteps: 10, shape: .linear),
                microBatchRows: 40),
            store: PolicyStore(PolicyWeights(resumed, version: read.version)), lane: executor.lane(.learner),
            threads: 1, cores: 1)
        await learner.restore(read)
        var late: [UpdateMetrics] = []
        for _ in 0..<2 { late.append(try await learner.learn(from: groups)) }
        #expect(resumed.bits == whole.parameters.bits)
        #expect(late == Array(metrics.dropFirst(2)))
    }

    @Test func momentsOfAnotherModelAreRefused() async throws {
        let executor = ComputeExecutor(threads: 1, pinned: false)
        defer { executor.shutdown() }
        let harness = LearnerHarness(parameters, lane: executor.lane(.learner), threads: 1)
        let file = FileManager.default.temporaryDirectory.appending(path: "moments-\(UUID().uuidString).safetensors")
        defer { try? FileManager.default.removeItem(at: file) }
        try await harness.learner.state().writeMoments(to: file)
        var configuration = parameters.configuration
        configuration.intermediateSize = 32
        let other = try Parameters(configuration: configuration)
        let error = #expect(throws: MalformedMoments.self) {
            try LearnerState(parameters: other, version: PolicyVersion(0), optimizerSteps: 0, moments: file)
        }
        #expect(error?.tensor == "first.model.layers.0.mlp.gate_proj.weight")
        #expect(error?.file == file.path)
    }

    @Test func momentsThatNoOptimizerHasAreNamed() async throws {
        let entry = parameters.layout.entries[1]
        let file = FileManager.default.temporaryDirectory.appending(path: "moments-\(UUID().uuidString).safetensors")
        defer { try? FileManager.default.removeItem(at: file) }
        let zeros = parameters.copy()
        zeros.pointer.update(repeating: 0, count: zeros.count)
        for (first, second, named) in [
            (Float.nan, Float(0), "first."), (0, .infinity, "second."), (0, -0x1p-80, "second."),
        ] {
            let moments = ["first.": zeros.copy(), "second.": zeros.copy()]
            moments["first."]?.pointer[entry.offset] = first
            moments["second."]?.pointer[entry.offset] = second
            let sources = moments.flatMap { prefix, values in
                parameters.layout.entries.map {
                    SafeTensors.Source(name: prefix + $0.name, shape: $0.shape, values: values.pointer + $0.offset)
                }
            }
            try SafeTensors.write(sources, to: file)
            let error = #expect(throws: MalformedMoments.self) {
                try LearnerState(parameters: parameters, version: PolicyVersion(0), optimizerSteps: 0, moments: file)
            }
            #expect(error?.tensor == named + entry.name)
            withExtendedLifetime(moments) {}
        }
    }

    // MARK: What goes wrong

    @Test func brokenWeightsStopTheUpdateAndChangeNothing() async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        for place in [0, parameters.layout.layers[1].down + 3, parameters.layout.finalNorm] {
            for value in [Float.nan, .infinity] {
                let broken = parameters.copy()
                broken.pointer[place] = value
                let harness = LearnerHarness(broken, lane: executor.lane(.learner), threads: 2)
                for isPolicy in [true, false] {
                    let error = await #expect(throws: NonFiniteUpdate.self) {
                        if isPolicy {
                            try await harness.learner.learn(from: groups)
                        } else {
                            try await harness.learner.imitate(demonstrations)
                        }
                    }
                    #expect(error?.step == 1)
                }
                #expect(harness.parameters.bits == broken.bits)
                #expect(harness.store.version == PolicyVersion(0))
                let state = try await harness.learner.state()
                #expect(state.version == PolicyVersion(0))
                #expect(state.optimizerSteps == 0)
                #expect(state.momentBits.allSatisfy { $0 == 0 })
            }
        }
    }

    @Test func aBadBatchLeavesNoTraceInTheNextUpdate() async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let harness = LearnerHarness(parameters, lane: executor.lane(.learner), threads: 2)
        var bad = groups
        bad[2].rollouts[1].rollout.logProbabilities[0] = -.infinity
        bad[2].rollouts[1].reward.total = -100
        let error = await #expect(throws: NonFiniteUpdate.self) { try await harness.learner.learn(from: bad) }
        #expect(error?.quantity == .loss)
        let update = try await harness.learner.learn(from: groups)
        let untroubled = LearnerHarness(parameters, lane: executor.lane(.learner), threads: 2)
        #expect(try await untroubled.learner.learn(from: groups) == update)
        #expect(harness.parameters.bits == untroubled.parameters.bits)
    }

    /// Cancelled after any number of steps of its jobs, an update either was made whole or not at all, and it ends.
    @Test func aCancelledUpdateIsWholeOrNothing() throws {
        let whole = EmbeddedExecutor(seed: 1)
        let reference = LearnerHarness(parameters, lane: whole, threads: 3)
        _ = try whole.run { try await reference.learner.learn(from: groups) }
        var ends: [Bool] = []
        for steps in 0..<60 {
            let executor = EmbeddedExecutor(seed: UInt64(steps) * 31 + 5)
            let harness = LearnerHarness(parameters, lane: executor, threads: 3)
            let result = Mutex<Result<UpdateMetrics, any Error>?>(nil)
            let task = Task(executorPreference: executor) {
                do {
                    let update = try await harness.learner.learn(from: groups)
                    result.withLock { $0 = .success(update) }
                } catch {
                    result.withLock { $0 = .failure(error) }
                }
            }
            for _ in 0..<steps { executor.step() }
            task.cancel()
            executor.runUntilIdle()
            switch result.withLock({ $0 }) {
            case .success:
                #expect(harness.parameters.bits == reference.parameters.bits)
                #expect(harness.store.version == PolicyVersion(1))
                ends.append(true)
            case .failure(let error):
                #expect(error is CancellationError)
                #expect(harness.parameters.bits == parameters.bits)
                #expect(harness.store.version == PolicyVersion(0))
                ends.append(false)
            case nil:
                Issue.record("the update hangs when cancelled after \(steps) steps")
            }
        }
        #expect(Set(ends) == [true, false])
    }

    @Test func aCancelledLearnerCanLearnAgain() throws {
        let executor = EmbeddedExecutor(seed: 4)
        let harness = LearnerHarness(parameters, lane: executor, threads: 3)
        let task = Task(executorPreference: executor) { try? await harness.learner.learn(from: groups) }
        for _ in 0..<6 { executor.step() }
        task.cancel()
        executor.runUntilIdle()
        #expect(harness.store.version == PolicyVersion(0))
        let update = try executor.run { try await harness.learner.learn(from: groups) }
        #expect(update.version == PolicyVersion(1))
    }

    /// Weights that are no numbers are neither published nor given away, nor trained on.
    @Test func spoiledWeightsStayWithTheLearner() async throws {
        let executor = ComputeExecutor(threads: 1, pinned: false)
        defer { executor.shutdown() }
        let harness = LearnerHarness(parameters, learningRate: 1e39, lane: executor.lane(.learner), threads: 1)
        for work in ["learn", "state", "learn again"] {
            let error = await #expect(throws: NonFiniteUpdate.self, "\(work)") {
                if work == "state" {
                    _ = try await harness.learner.state()
                } else {
                    _ = try await harness.learner.learn(from: groups)
                }
            }
            #expect(error?.quantity == .weights && error?.step == 1, "\(work)")
        }
        #expect(harness.store.current.version == PolicyVersion(0))
    }
}
