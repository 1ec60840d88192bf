import Kernels
import Pipelines

/// What a backward pass goes by.
struct BackwardTask {
    /// One a target.
    let coefficients: UnsafeBufferPointer<Float>
    let weights: PolicyWeights
    let transposed: TransposedWeights
    let target: GradientTarget
}

extension Backpropagation {
    /// Adds to `gradient` the gradient of Σ coefficientᵢ · logProbabilityᵢ over the last forward pass's targets. Once a forward
    /// pass: what it kept makes room for gradients.
    ///
    /// - Parameters:
    ///   - coefficients: one a target.
    ///   - transposed: the matrices of the weights that the forward pass read.
    ///   - gradient: one value a parameter, in the order of `ParameterLayout`.
    public func backward(
        _ coefficients: UnsafeBufferPointer<Float>, transposed: TransposedWeights, layout: ParameterLayout,
        into gradient: UnsafeMutablePointer<Float>
    ) {
        backward(coefficients, transposed: transposed, target: .parameters(layout, gradient))
    }

    /// Likewise for the adapters alone: no gradient of the weights below them is computed, or has room anywhere.
    ///
    /// - Parameters:
    ///   - transposed: the matrices of the weights that the forward pass read, adapters merged in.
    ///   - adapters: the adapters that are merged in.
    ///   - gradient: one value a parameter, in the order of `AdapterLayout`.
    public func backward(
        _ coefficients: UnsafeBufferPointer<Float>, transposed: TransposedWeights, adapters: AdapterPanels,
        into gradient: UnsafeMutablePointer<Float>
    ) {
        precondition(adapters.model.hasMatrices(of: configuration), "the adapters belong to another model")
        backward(coefficients, transposed: transposed, target: .adapters(adapters, gradient))
    }

    private func backward(
        _ coefficients: UnsafeBufferPointer<Float>, transposed: TransposedWeights, target: GradientTarget
    ) {
        precondition(isReadyToGoBack, "a backward pass follows a forward pass that kept what it reads")
        isReadyToGoBack = false
        precondition(coefficients.count == batch.targets.count, "one coefficient a target")
        guard let weights, batch.rowCount > 0 else { return }
        let sizes = BackwardSizes(
            configuration, rows: batch.rowCount, targets: batch.targets.count, positions: positionCapacity,
            rank: target.rank)
        gradients.prepare(rows: batch.rowCount, targets: batch.targets.count, sizes)
        workspaceSizes = sizes.workspace
        task = BackwardTask(
            coefficients: coefficients, weights: weights, transposed: transposed, target: target)
        run(backwardProgram)
        task = nil
    }

    /// The backward pass, by all members of a team with this very call. A matrix's gradient is computed beside the products that need
    /// what it needs; sums over rows stay whole, so that each is one chain.
    func backward(_ member: inout TeamMember, _ workspace: PassWorkspace) {
        guard let task else { return }
        backwardHead(task, &member, workspace)
        for index in layers.indices.reversed() {
            restore(index, task.weights, &member, workspace)
            backwardFeedForward(index, task, &member, workspace)
            backwardAttention(index, task, &member, workspace)
        }
        guard let embedding = task.target.tensor(\.embedding) else { return }
        member.perform(1) { _ in
            Embedding.scatter(
                gradients.hidden.pointer, tokens: tokens.pointer, rows: batch.rowCount,
                width: configuration.hiddenSize, into: embedding)
        }
    }

    /// Logits, whose gradient takes their place, head and final norm; leaves the gradient of the last layer's result in `gradients.hidden`.
    private func backwardHead(_ task: BackwardTask, _ member: inout TeamMember, _ workspace: PassWorkspace) {
        let vocabulary = configuration.vocabularySize
        let targets = batch.targets.count
        member.perform(rows: targets, parts) { part in
            for index in part {
                let row = logits.pointer + index * vocabulary
                Softmax.gradient(
                    row, count: vocabulary, scale: 1 / temperature, logSumExp: targetLogSumExp.pointer[index],
                    target: Int(batch.targets[index].token), coefficient: task.coefficients[index], into: row)
            }
            task.transposed.head.multiply(
                part, of: logits.pointer, into: gradients.targetRows.pointer,
                scratch: workspace.scratch.pointer)
        }
        performHead(task, &member, workspace) { backwardFinalNorm(task) }
    }

    private func backwardFinalNorm(_ task: BackwardTask) {
        let width = configuration.hiddenSize
        let rows = batch.rowCount
        Elementwise.fill(gradients.normed.pointer, with: 0, count: rows * width)
        for (index, target) in batch.targets.enumerated() {
            Elementwise.add(
                gradients.targetRows.pointer + index * width, into: gradients.normed.pointer + target.row * width,
                count: width)
        }
        Elementwise.fill(gradients.hidden.pointer, with: 0, count: rows * width)
        Normalization.backward(
            outputGradient: gradients.normed.pointer, input: hidden.pointer, weight: task.weights.finalNorm,
            reciprocal: normReciprocal.pointer, rows: rows, width: width, inputGradient: gradients.hidden.pointer,
            weightGradient: task.target.tensor(\.finalNorm) ?? gradients.discarded.pointer)
    }

    private func backwardFeedForward(
        _ index: Int, _ task: BackwardTask, _ member: inout TeamMember, _ workspace: PassWorkspace
    ) {
        let shape = configuration
        let saved = layers[index]
        perform(.down, index, gradients.hidden.pointer, saved.activated, task, &member, workspace) { part in
            task.transposed.block(.down, layer: index).multiply(
                part, of: gradients.hidden.pointer, into: gradients.activated.pointer,
                scratch: workspace.scratch.pointer)
            let (first, width) = (part.lowerBound, shape.intermediateSize)
            SwiGLU.backward(
                gateUp: saved.gateUp + first * 2 * width, outputGradient: gradients.activated.pointer + first * width,
                rows: part.count, width: width, gateUpGradient: gradients.gateUp.pointer + first * 2 * width)
            task.transposed.block(.gateUp, layer: index).multiply(
                part, of: gradients.gateUp.pointer, into: gradients.normed.pointer, scratch: workspace.scratch.pointer)
        }
        perform(.gateUp, index, gradients.gateUp.pointer, saved.feedForwardNormed, task, &member, workspace) {
            Normalization.backward(
                outputGradient: gradients.normed.pointer, input: saved.middle,
                weight: task.weights.layer(index).feedForwardNorm, reciprocal: saved.feedForwardReciprocal,
                rows: batch.rowCount, width: shape.hiddenSize, inputGradient: gradients.hidden.pointer,
                weightGradient: task.target.tensor { $0.layers[index].feedForwardNorm } ?? gradients.discarded.pointer)
        }
    }
}
