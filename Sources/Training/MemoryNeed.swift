import Foundation
import Models
import Pipelines

/// About how much memory a run takes at once, so that one that cannot fit is refused before it begins.
struct MemoryNeed: Sendable {
    /// Bytes; infinite where a size is beyond counting.
    let bytes: Double

    /// Weights, moments and gradients of the learner, published versions, and the workers' keys and values.
    init(_ configuration: RunConfiguration, model: ModelConfiguration, longestSequence: Int) {
        let threads = configuration.threads == 0 ? ProcessorCores.available.count : configuration.threads
        let workers = configuration.workers == 0 ? threads : configuration.workers
        let reinforcement = configuration.reinforcement
        let hidden = Double(model.hiddenSize)
        let heads = Double(model.queryKeyValueWidth + model.queryWidth)
        let layer = hidden * (heads + 3 * Double(model.intermediateSize) + 2)
        let parameters = Double(model.layerCount) * layer + 2 * Double(model.vocabularySize) * hidden
        // Master weights, two moments, their sum, panels for input gradients, and three published versions.
        let copies = 8 + Double(threads)
        let completions = Double(reinforcement.problemsPerBatch) * Double(reinforcement.groupSize)
        let sequences = completions + 2 * Double(workers)
        let position = Double(model.layerCount) * 2 * Double(model.keyValueWidth)
        let context = Double(model.maxPositions) * Double(model.headDimension)
        let logits = sequences * Double(model.vocabularySize)
        bytes = 4 * (parameters * copies + sequences * Double(longestSequence) * position + context + 2 * logits)
    }

    /// - Throws: `ConfigurationError` with the figures when the machine has less.
    func check() throws {
        let machine = Double(ProcessInfo.processInfo.physicalMemory)
        guard bytes <= machine else {
            throw ConfigurationError(
                source: "configuration", key: "student",
                reason: String(
                    format: "the run would take about %.1f GiB and the machine has %.1f; choose a smaller student, "
                        + "context or batch", bytes / 0x1p30, machine / 0x1p30))
        }
    }
}
