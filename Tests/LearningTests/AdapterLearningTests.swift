import Foundation
import Models
import Pipelines
import Testing
import Trajectories

@testable import Learning

/// Updates in bfloat16, of adapters alone, and from activations that are computed again.
@Suite(.timeLimit(.minutes(30))) struct AdapterLearningTests {
    /// A way to compute and what to train.
    enum Setting: CaseIterable {
        case bfloat16, recomputed, adapters, bfloat16Adapters, recomputedAdapters, headAdapters, bfloat16HeadAdapters

        var precision: Precision {
            switch self {
            case .bfloat16, .bfloat16Adapters, .bfloat16HeadAdapters: .bfloat16
            default: .float32
            }
        }

        var isOfHead: Bool { self == .headAdapters || self == .bfloat16HeadAdapters }

        var activations: ActivationStorage { self == .recomputed || self == .recomputedAdapters ? .recomputed : .kept }

        func adapters(of shape: ModelConfiguration) throws -> Adapters? {
            switch self {
            case .bfloat16, .recomputed: nil
            case .adapters, .bfloat16Adapters, .recomputedAdapters:
                try Adapters.randomized(AdapterConfiguration(rank: 4, alpha: 8), of: shape, seed: 2)
            case .headAdapters, .bfloat16HeadAdapters:
                try Adapters.randomized(
                    AdapterConfiguration(rank: 4, alpha: 8, projections: Set(Projection.allCases)), of: shape, seed: 2)
            }
        }

        func harness(_ parameters: Parameters, _ executor: ComputeExecutor, threads: Int = 2) throws -> LearnerHarness {
            LearnerHarness(
                parameters, adapters: try adapters(of: parameters.configuration), activations: activations,
                loss: GroupRelativeLoss(referenceWeight: 0.1), lane: executor.lane(.learner), threads: threads)
        }
    }

    private func material(_ setting: Setting) throws -> (parameters: Parameters, groups: [ScoredGroup]) {
        let parameters = try TestModel.parameters(ties: !setting.isOfHead).copy(precision: setting.precision)
        let adapters = try setting.adapters(of: parameters.configuration)
        return (parameters, try TestModel.groups(PolicyWeights(parameters, adapters: adapters)))
    }

    private func bits(_ harness: LearnerHarness) async throws -> [UInt32] {
        let state = try await harness.learner.state()
        return state.model.bits + (state.adapters?.bits ?? []) + state.momentBits
    }

    /// Generation and learner agree bit for bit, and so do any numbers of threads.
    @Test(arguments: Setting.allCases) func threadsLeaveNoTraceAndTheRatioIsOne(setting: Setting) async throws {
        let (parameters, groups) = try material(setting)
        var first: [UInt32]?
        for threads in [1, 3] {
            let executor = ComputeExecutor(threads: threads, pinned: false)
            defer { executor.shutdown() }
            let harness = try setting.harness(parameters, executor, threads: threads)
            let update = try await harness.learner.learn(from: groups)
            #expect(update.ratioDeviation == 0)
            #expect(update.referenceDivergence == 0)
            // Groups of the new version, not of the first.
            let next = try TestModel.groups(harness.store.current)
            let later = try await harness.learner.learn(from: next)
            #expect(later.ratioDeviation == 0)
            #expect(later.referenceDivergence > 0)
            let result = try await bits(harness)
            #expect(first == nil || first == result)
            first = result
        }
    }

    @Test(arguments: Setting.allCases) func aLearnerGoesOnFromItsStateBitForBit(setting: Setting) async throws {
        let (parameters, groups) = try material(setting)
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let whole = try setting.harness(parameters, executor)
        for _ in 0..<4 { _ = try await whole.learner.learn(from: groups) }
        let early = try setting.harness(parameters, executor)
        for _ in 0..<2 { _ = try await early.learner.learn(from: groups) }

        let folder = FileManager.default.temporaryDirectory.appending(path: "adapters-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let state = try await early.learner.state()
        let moments = folder.appending(path: "moments.safetensors")
        try state.writeMoments(to: moments)
        try state.adapters?.save(to: folder)
        let adapters = try state.adapters.map { try Adapters(contentsOf: folder, of: $0.model) }
        let read = try LearnerState(
            parameters: state.parameters, adapters: adapters, version: state.version,
            optimizerSteps: state.optimizerSteps, moments: moments)
        let learner = Learner(
            parameters: read.parameters, adapters: read.adapters, version: read.version,
            configuration: LearnerConfiguration(
                optimizer: OptimizerConfiguration(weightDecay: 0.1),
                schedule: LearningRateSchedule(peak: 3e-3, warmupSteps: 2, totalSteps: 10, shape: .linear),
                loss: GroupRelativeLoss(referenceWeight: 0.1), microBatchRows: 40, activations: setting.activations),
            reference: parameters,
            store: PolicyStore(PolicyWeights(read.parameters, adapters: read.adapters, version: read.version)),
            lane: executor.lane(.learner), threads: 1, cores: 1)
        await learner.restore(read)
        for _ in 0..<2 { _ = try await learner.learn(from: groups) }
        let end = try await learner.state()
        #expect(try await bits(whole) == end.model.bits + (end.adapters?.bits ?? []) + end.momentBits)
    }

    @Test(arguments: [Setting.adapters, .bfloat16Adapters, .headAdapters])
    func adaptersLearnAndTheWeightsStandStill(setting: Setting) async throws {
        let (parameters, groups) = try material(setting)
        let demonstrations = groups.flatMap { group in
            group.rollouts.map { Demonstration(prompt: $0.rollout.prompt, completion: $0.rollout.tokens) }
        }
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let harness = try setting.harness(parameters, executor)
        var losses: [Double] = []
        for _ in 0..<9 { losses.append(try await harness.learner.imitate(demonstrations).loss) }
        #expect(zip(losses.dropFirst(), losses).allSatisfy { $0 < $1 })
        #expect(losses[8] < losses[0] - 0.05)
        #expect(harness.parameters.bits == parameters.bits)
        // What was published is the merged model.
        let model = try await harness.learner.state().model
        #expect(model.bits != parameters.bits)
        var batch = TrainingBatch()
        batch.append(prompt: [1, 2, 3], completions: [[4, 5, 6]])
        let pass = Backpropagation(configuration: parameters.configuration)
        pass.forward(batch, weights: harness.store.current, temperature: 1)
        let published = Array(pass.logProbabilities)
        pass.forward(batch, weights: PolicyWeights(model), temperature: 1)
        #expect(published == Array(pass.logProbabilities))
    }

    @Test func activationsThatAreComputedAgainAreTheSame() async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let (parameters, groups) = try material(.recomputed)
        var results: [[UInt32]] = []
        for activations in ActivationStorage.allCases {
            let harness = LearnerHarness(
                parameters, activations: activations, lane: executor.lane(.learner), threads: 2)
            for _ in 0..<2 { _ = try await harness.learner.learn(from: groups) }
            results.append(try await bits(harness))
        }
        #expect(results[0] == results[1])
    }
}

extension Adapters {
    fileprivate var bits: [UInt32] { (0..<count).map { pointer[$0].bitPattern } }
}
