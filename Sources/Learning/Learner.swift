import Kernels
import Memory
import Models
import Pipelines
import Trajectories

/// The weights under training, or the adapters on weights that stand still, their optimizer, and one update at a time.
///
/// A step splits its batch into micro-batches that tasks on the learner's lane claim, as many at once as there are threads with a
/// core to run on; where there are more of those than micro-batches left, several share one. Gradients are summed in the order of
/// the micro-batches, so that the result does not depend on the number of threads. The new version is published before the step
/// returns.
public actor Learner {
    /// Changed in place by the second half of an update, which does not suspend: whoever reads them elsewhere does so between
    /// updates, or after the last.
    public let parameters: Parameters
    /// What is trained in place of the weights, if not they themselves; the same holds for them.
    public let adapters: Adapters?
    public let store: PolicyStore
    public private(set) var version: PolicyVersion

    private let configuration: LearnerConfiguration
    private let optimizer: Optimizer
    private let transposed: TransposedWeights
    private let panels: AdapterPanels?
    private let reference: PolicyWeights?
    private let lane: any TaskExecutor
    private let slices: SliceLoop
    /// That passes are made for.
    private let passThreads: Int
    private let jobs: [GradientJobBox]
    private let sum: AlignedBuffer<Float>
    private var isUpdating = false
    /// Whether an update has made weights that are no numbers.
    private var isSpoiled = false

    /// - Parameters:
    ///   - parameters: the weights to start from; without adapters, the learner changes them in place.
    ///   - adapters: to be trained in place of the weights, which then stand still; the learner changes them in place.
    ///   - version: the version they are.
    ///   - reference: the model that the loss keeps near to, where it needs one; nil takes `parameters` as they are now,
    ///     without adapters.
    ///   - store: where each version is published; it holds `version` already, adapters merged in.
    ///   - lane: where jobs run.
    ///   - threads: of the lane's executor.
    ///   - cores: that they run on.
    public init(
        parameters: Parameters, adapters: Adapters? = nil, version: PolicyVersion, configuration: LearnerConfiguration,
        reference: Parameters? = nil, store: PolicyStore, lane: any TaskExecutor, threads: Int, cores: Int
    ) {
        self.parameters = parameters
        self.adapters = adapters
        self.version = version
        self.configuration = configuration
        self.store = store
        self.lane = lane
        slices = SliceLoop(lane)
        let count = TrainedVector(parameters, adapters).count
        optimizer = Optimizer(configuration.optimizer, parameterCount: count)
        transposed = TransposedWeights(parameters, adapters: adapters)
        panels = adapters.map { AdapterPanels($0) }
        self.reference =
            configuration.loss.needsReference
            ? PolicyWeights(reference ?? parameters, rotary: store.current.rotary) : nil
        passThreads = Self.passThreads(threads: threads, cores: cores)
        let workspaces = PassWorkspaces()
        jobs = (0..<Self.jobs(threads: passThreads, parameters.configuration)).map { _ in
            GradientJobBox(
                GradientJob(
                    configuration: parameters.configuration, layout: parameters.layout,
                    storage: configuration.activations, gradientCount: count, workspaces: workspaces))
        }
        sum = AlignedBuffer(count: count, pages: .large)
    }

    /// Of each pass that there is at once; between updates.
    package var sharing: [PassSharing] { jobs.map(\.sharing) }

    /// One update from a batch of scored groups.
    ///
    /// - Throws: `NonFiniteUpdate`, before any weight has changed unless it is of the weights; `CancellationError`.
    public func learn(from groups: [ScoredGroup]) async throws -> UpdateMetrics {
        try await update(
            MicroBatch.policy(groups, loss: configuration.loss, rows: configuration.rolloutRows),
            temperature: configuration.temperature)
    }

    /// One update that raises the probability of demonstrations.
    ///
    /// - Throws: `NonFiniteUpdate`, before any weight has changed unless it is of the weights; `CancellationError`.
    public func imitate(_ demonstrations: [Demonstration]) async throws -> UpdateMetrics {
        try await update(
            MicroBatch.imitation(demonstrations, rows: configuration.microBatchRows), temperature: 1)
    }

    private func update(_ microBatches: [MicroBatch], temperature: Float) async throws -> UpdateMetrics {
        // Before anything is touched: while an update awaits its jobs, the actor would let another one in.
        precondition(!isUpdating, "one update at a time")
        try checkWeights()
        isUpdating = true
        defer { isUpdating = false }
        let weights = store.current
        precondition(weights.version == version, "the store holds version \(weights.version), not \(version)")
        // Written by `gradientSum` alone from here until every job, and with it the sum's last addition, has ended, which the
        // group below awaits; then by the learner, which lets no other update in meanwhile.
        nonisolated(unsafe) let total = sum.pointer
        if microBatches.isEmpty { Elementwise.fill(sum.pointer, with: 0, count: sum.count) }
        let gradientSum = GradientSum(into: total, count: sum.count, slices: slices)
        let queue = MicroBatchQueue(microBatches, jobs: jobs.count, threads: passThreads)
        let shared = GradientJobBox.Shared(
            weights: weights, transposed: transposed, adapters: panels, reference: reference,
            loss: configuration.loss, temperature: temperature)
        await withTaskGroup(of: Void.self) { group in
            for box in jobs.prefix(microBatches.count) {
                group.addTask(executorPreference: lane) {
                    await box.run(queue, shared, gradientSum)
                }
            }
        }
        try Task.checkCancellation()
        let outcome = await gradientSum.outcome
        let norm = StallClock.phase(.optimizer) {
            slices.sum(over: sum.count) { range in
                Elementwise.sumOfSquares(total + range.lowerBound, count: range.count)
            }.squareRoot()
        }
        try checkFinite(outcome.loss, norm)
        let learningRate = configuration.schedule.rate(at: optimizer.steps)
        let isFinite = StallClock.phase(.optimizer) {
            optimizer.update(
                TrainedVector(parameters, adapters), gradient: sum.pointer, norm: norm, learningRate: learningRate,
                slices: slices)
        }
        isSpoiled = !isFinite
        try checkWeights()
        version = version.next
        StallClock.phase(.publish) {
            if let adapters { panels?.write(adapters) }
            transposed.write(parameters, adapters: adapters) { slices.perform(tiles: $0, $1) }
            store.publish(parameters, adapters: adapters, version: version) { slices.perform(tiles: $0, $1) }
        }
        return UpdateMetrics(
            step: optimizer.steps, version: version, learningRate: learningRate, gradientNorm: norm, outcome: outcome)
    }

    private func checkWeights() throws {
        guard !isSpoiled else { throw NonFiniteUpdate(quantity: .weights, step: optimizer.steps) }
    }

    private func checkFinite(_ loss: Double, _ norm: Double) throws {
        guard loss.isFinite else {
            throw NonFiniteUpdate(quantity: .loss, step: optimizer.steps + 1)
        }
        guard norm.isFinite else {
            throw NonFiniteUpdate(quantity: .gradient, step: optimizer.steps + 1)
        }
    }

    /// Weights and optimizer state as they stand, copied; weights that stand still are shared.
    ///
    /// - Throws: `NonFiniteUpdate` where an update has made weights that are no numbers.
    public func state() throws -> LearnerState {
        try checkWeights()
        return LearnerState(
            parameters: adapters == nil ? parameters.copy() : parameters, adapters: adapters?.copy(),
            optimizer: optimizer, version: version)
    }

    /// Takes the optimizer's state from a checkpoint whose weights this learner was made with.
    public func restore(_ state: LearnerState) {
        optimizer.steps = state.optimizerSteps
        optimizer.firstMoment.pointer.update(from: state.firstMoment.pointer, count: sum.count)
        optimizer.secondMoment.pointer.update(from: state.secondMoment.pointer, count: sum.count)
    }
}

/// What a learner is told once.
public struct LearnerConfiguration: Sendable {
    /// As many as two threads are fastest with; gradients are the sums of these parts, whatever the threads.
    public static let usualMicroBatchRows = 384

    public var optimizer: OptimizerConfiguration
    public var schedule: LearningRateSchedule
    public var loss: any PolicyLoss
    /// The temperature at which rollouts were sampled.
    public var temperature: Float
    /// Rows of a micro-batch of demonstrations, about, and half those of one of rollouts: more amortise, fewer spread better over
    /// cores. Sums of other parts round differently.
    public var microBatchRows: Int
    /// What a pass keeps for its backward pass.
    public var activations: ActivationStorage

    public init(
        optimizer: OptimizerConfiguration = OptimizerConfiguration(), schedule: LearningRateSchedule,
        loss: any PolicyLoss = GroupRelativeLoss(), temperature: Float = 1,
        microBatchRows: Int = usualMicroBatchRows,
        activations: ActivationStorage = .kept
    ) {
        self.optimizer = optimizer
        self.schedule = schedule
        self.loss = loss
        self.temperature = temperature
        self.microBatchRows = microBatchRows
        self.activations = activations
    }
}

/// An update whose loss or gradient is not a number, with the weights as they were; or one that made weights that are none,
/// which are not published, and after which a learner is of no more use.
public struct NonFiniteUpdate: Error, CustomStringConvertible {
    public enum Quantity: String, Sendable {
        case loss, gradient, weights
    }

    public var quantity: Quantity
    /// The optimizer step, from 1.
    public var step: Int

    /// What has become no number.
    public var finding: String {
        switch quantity {
        case .loss, .gradient: "the \(quantity.rawValue) is not a finite number"
        case .weights: "a weight is not a finite number any more"
        }
    }

    public var description: String { "in step \(step), \(finding)" }
}
