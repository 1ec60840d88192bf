import Memory
import Models
import Pipelines
import Trajectories

/// Continuous batching: completions join and leave between decode steps, a request's samples share its prompt.
///
///     try generator.submit(request)
///     while generator.hasWork {
///         for completion in generator.step(store.current) { … }
///     }
///
/// Every step is one forward pass: a row for each running completion, and prompt rows as far as there is room. The weights
/// may change between steps; each token records the version it came from. One thread at a time; on a compute thread, other
/// threads of its executor that are idle share in the step.
public final class Generator {
    /// The model's shape, its context cut to the longest sequence served.
    public let configuration: ModelConfiguration
    /// Completions that run at once.
    public let batchCapacity: Int

    let inference: DecoderInference
    /// Threads that may share a step, and a sampler for each.
    private let places: Int
    private let members: Int
    private let samplers: [TokenSampler]
    private let draws: AlignedBuffer<TokenSampler.Draw>
    /// A step's two programs, and what they go by.
    var forward = TeamProgram { _ in }
    var sampling = TeamProgram { _ in }
    private var weights: PolicyWeights?
    private var waiting: [GenerationRequest] = []
    private var prompts: [PromptSequence] = []
    private var active: [ActiveSequence] = []
    private var finished: [Completion] = []
    private var logitIndices: [Int] = []
    private var prefillLogits: [(prompt: PromptSequence, index: Int)] = []
    private var scheduled: [(prompt: PromptSequence, rows: Int)] = []
    /// What weights that came in the middle of a prompt have cost so far.
    public private(set) var restarted = RestartedPrompts()

    /// - Parameters:
    ///   - batchCapacity: completions that run at once.
    ///   - longestSequence: positions of the longest prompt with its completion; memory goes by it. The model's context by
    ///     default, and never more.
    ///   - prefillRows: prompt tokens a step at most, `usualPrefillRows` by default, beside the completions' rows.
    ///   - positionCapacity: positions of all sequences together, in whole pages of 16; at least two of the longest are kept. By
    ///     default enough for `batchCapacity` of the longest at once.
    ///   - threads: of the executor that steps run on; with fewer than it has, steps are not shared.
    ///   - running: of these, as many as share a step at once; all by default.
    public init(
        configuration: ModelConfiguration, batchCapacity: Int, longestSequence: Int? = nil,
        prefillRows: Int? = nil, positionCapacity: Int? = nil, threads: Int = 1, running: Int = .max
    ) {
        var configuration = configuration
        let threads = max(1, threads)
        let sizes = GeneratorSizes(
            context: configuration.maxPositions, batch: batchCapacity, longest: longestSequence,
            prefillRows: prefillRows, positions: positionCapacity)
        configuration.maxPositions = sizes.positions
        self.configuration = configuration
        self.batchCapacity = sizes.batch
        inference = DecoderInference(
            configuration: configuration, rowCapacity: sizes.rows, logitCapacity: sizes.logits,
            pageCapacity: sizes.pages, places: threads)
        places = threads
        members = running
        samplers = (0..<threads).map { _ in TokenSampler(vocabularySize: configuration.vocabularySize) }
        draws = AlignedBuffer(count: self.batchCapacity)
        forward = TeamProgram { [unowned self] member in
            guard let weights else { return }
            inference.forward(weights, &member)
        }
        sampling = TeamProgram { [unowned self] member in sample(&member) }
    }

    public var hasWork: Bool { !waiting.isEmpty || !prompts.isEmpty || !active.isEmpty }

    /// Completions that run or wait to start.
    public var load: Int {
        admitted + waiting.reduce(0) { $0 + $1.sampleCount }
    }

    /// Completions that run, or whose prompts have pages.
    private var admitted: Int { active.count + prompts.reduce(0) { $0 + $1.left } }

    /// Completions under way.
    public var activeCount: Int { active.count }

    public func submit(_ request: GenerationRequest) throws(GenerationRefusal) {
        guard !request.prompt.isEmpty else { throw .emptyPrompt }
        guard request.sampleCount > 0 else { throw .noSamples(request.sampleCount) }
        guard request.maxNewTokens > 0 else { throw .noNewTokens(request.maxNewTokens) }
        let vocabularySize = configuration.vocabularySize
        if let token = request.prompt.first(where: { $0 < 0 || Int($0) >= vocabularySize }) {
            throw .tokenOutOfRange(token, vocabularySize: vocabularySize)
        }
        guard request.maxNewTokens <= configuration.maxPositions - request.prompt.count else {
            throw .tooLong(
                prompt: request.prompt.count, maxNewTokens: request.maxNewTokens,
                maxPositions: configuration.maxPositions)
        }
        do {
            try request.sampling.validate()
        } catch {
            throw .invalidSampling(error)
        }
        waiting.append(request)
    }

    /// One forward pass over everything that is ready; returns the completions that it finished.
    public func step(_ weights: PolicyWeights) -> [Completion] {
        finished.removeAll(keepingCapacity: true)
        startSamples()
        admit()
        inference.begin()
        scheduleDecode()
        schedulePrefill(version: weights.version)
        let phase: Phase = logitIndices.isEmpty ? .prefill : .decode
        let computed = StallClock.nanoseconds(phase)
        let waited = StallClock.nanoseconds(.synchronize)
        StallClock.phase(phase) {
            self.weights = weights
            forward.run(places: places, members: members)
            self.weights = nil
        }
        charge(
            phase, computed: StallClock.nanoseconds(phase) - computed,
            waited: StallClock.nanoseconds(.synchronize) - waited)
        StallClock.phase(.sample) {
            // More members than draws would only be waited for.
            sampling.run(places: places, members: min(members, active.count + firstDraws))
            extendActive(version: weights.version)
        }
        return finished
    }

    /// Tells each prompt in the forward pass its share of the nanoseconds that the clock has charged this thread for it.
    private func charge(_ phase: Phase, computed: UInt64, waited: UInt64) {
        for (prompt, rows) in scheduled {
            let share = 1e-9 * Double(rows) / Double(inference.rowCount)
            if phase == .prefill {
                prompt.prefillSeconds += Double(computed) * share
            } else {
                prompt.decodeSeconds += Double(computed) * share
            }
            prompt.synchronizeSeconds += Double(waited) * share
        }
    }

    /// Completions that have begun and the tokens that they have, with the processed tokens of prompts that none has begun of.
    public var unfinished: (rollouts: Int, tokens: Int) {
        (
            active.count,
            active.reduce(0) { $0 + $1.tokens.count }
                + prompts.reduce(0) { $0 + ($1.started == 0 ? $1.processed : 0) }
        )
    }

    /// Drops all work and frees its pages.
    public func removeAll() {
        waiting.removeAll()
        for prompt in prompts { prompt.table.release(to: inference.pages) }
        for sequence in active { sequence.table.release(to: inference.pages) }
        prompts.removeAll()
        active.removeAll()
    }

    /// Starts samples of processed prompts, oldest first, each with room for all of its tokens.
    private func startSamples() {
        defer { prompts.removeAll { $0.left == 0 } }
        for prompt in prompts where prompt.isProcessed {
            while prompt.left > 0 && active.count < batchCapacity {
                guard startSample(of: prompt) else { return }
            }
        }
    }

    /// Takes waiting requests in order while completions are missing and a prompt's pages leave room for a whole context: so when
    /// nothing runs, the oldest prompt can always start a sample, and the engine never stands still.
    ///
    /// A completion takes the pages of the longest sequence at most, whether it runs or its prompt is there for it. Of the
    /// `batchCapacity + 1` such sequences that there is room for by default, this leaves two where a completion is missing, so
    /// that pages keep none from running.
    private func admit() {
        let context = KeyValuePages.pages(positions: configuration.maxPositions)
        var admitted = admitted
        while let request = waiting.first, admitted < batchCapacity {
            let needed = KeyValuePages.pages(positions: request.prompt.count)
            guard inference.pages.freeCount >= needed + context else { return }
            var table = PageTable(maxPositions: configuration.maxPositions)
            guard table.reserve(positions: request.prompt.count, from: inference.pages) else { return }
            prompts.append(PromptSequence(request: request, table: table))
            waiting.removeFirst()
            admitted += request.sampleCount
        }
    }

    /// The last sample has the prompt's own pages; one before it shares those that are full, and copies the page that it goes
    /// on in.
    private func startSample(of prompt: PromptSequence) -> Bool {
        let request = prompt.request
        let positions = request.prompt.count + request.maxNewTokens
        var table = PageTable(maxPositions: configuration.maxPositions)
        if prompt.left == 1 {
            // What was taken stays with the prompt, which is the oldest and starts before any other.
            guard prompt.table.reserve(positions: positions, from: inference.pages) else { return false }
            swap(&table, &prompt.table)
        } else {
            guard table.fork(prompt.table, positions: request.prompt.count, from: inference.pages),
                table.reserve(positions: positions, from: inference.pages)
            else {
                table.release(to: inference.pages)
                return false
            }
        }
        let sequence = ActiveSequence(request: request, sample: prompt.started, table: table)
        sequence.append(prompt.firstDraws.pointer[prompt.started], version: prompt.version)
        prompt.started += 1
        if !finish(sequence) {
            active.append(sequence)
        }
        return true
    }

    private func scheduleDecode() {
        logitIndices.removeAll(keepingCapacity: true)
        for sequence in active {
            guard var last = sequence.tokens.last else { continue }
            withUnsafePointer(to: &last) { pointer in
                let index = inference.append(
                    tokens: UnsafeBufferPointer(start: pointer, count: 1), firstPosition: sequence.lastPosition,
                    table: sequence.table, wantsLogits: true)
                if let index { logitIndices.append(index) }
            }
        }
    }

    /// A prompt begun under other weights is begun again, so that all of its keys and values are of one version.
    private func schedulePrefill(version: PolicyVersion) {
        prefillLogits.removeAll(keepingCapacity: true)
        scheduled.removeAll(keepingCapacity: true)
        for prompt in prompts where !prompt.isProcessed {
            if prompt.version != version { restart(prompt) }
            prompt.version = version
            let room = inference.rowCapacity - inference.rowCount
            let count = min(room, prompt.request.prompt.count - prompt.processed)
            guard count > 0 else { return }
            prompt.request.prompt.withUnsafeBufferPointer { tokens in
                let chunk = UnsafeBufferPointer(rebasing: tokens[prompt.processed..<prompt.processed + count])
                let isLast = prompt.processed + count == tokens.count
                let index = inference.append(
                    tokens: chunk, firstPosition: prompt.processed, table: prompt.table, wantsLogits: isLast)
                if let index { prefillLogits.append((prompt, index)) }
            }
            prompt.processed += count
            scheduled.append((prompt, count))
        }
    }

    private func restart(_ prompt: PromptSequence) {
        restarted.tokens += prompt.processed
        restarted.prefillSeconds += prompt.prefillSeconds
        restarted.decodeSeconds += prompt.decodeSeconds
        restarted.synchronizeSeconds += prompt.synchronizeSeconds
        prompt.processed = 0
        prompt.prefillSeconds = 0
        prompt.decodeSeconds = 0
        prompt.synchronizeSeconds = 0
    }

    /// Samples of the prompts that ended in this forward pass.
    private var firstDraws: Int { prefillLogits.reduce(0) { $0 + $1.prompt.request.sampleCount } }

    /// Draws the next token of each completion, and the first one of each sample of the prompts that ended.
    private func sample(_ member: inout TeamMember) {
        let sampler = samplers[member.index]
        member.perform(over: active.count + firstDraws) { part in
            for index in part.clamped(to: 0..<active.count) {
                draws.pointer[index] = draw(active[index], from: inference.logits(logitIndices[index]), by: sampler)
            }
            var start = active.count
            for (prompt, row) in prefillLogits {
                let end = start + prompt.request.sampleCount
                let samples = part.clamped(to: start..<end)
                prompt.drawFirstTokens(
                    of: samples.lowerBound - start..<samples.upperBound - start, from: inference.logits(row),
                    by: sampler)
                start = end
            }
        }
    }

    private func draw(
        _ sequence: ActiveSequence, from logits: UnsafePointer<Float>, by sampler: TokenSampler
    ) -> TokenSampler.Draw {
        sampler.draw(
            logits, parameters: sequence.request.sampling,
            uniform: sequence.stream.uniform(at: sequence.tokens.count))
    }

    private func extendActive(version: PolicyVersion) {
        for (index, sequence) in active.enumerated() {
            sequence.append(draws.pointer[index], version: version)
        }
        active.removeAll { finish($0) }
    }

    /// Moves the sequence to the finished completions if its last token ends it.
    private func finish(_ sequence: ActiveSequence) -> Bool {
        guard let reason = sequence.finishReason else { return false }
        sequence.table.release(to: inference.pages)
        finished.append(
            Completion(
                identifier: sequence.request.identifier, sample: sequence.sample, tokens: sequence.tokens,
                logProbabilities: sequence.logProbabilities, versions: sequence.versions, finishReason: reason))
        return true
    }
}
