import Foundation
import Learning

/// A run that cannot go on, because an update has come out as no number. What it had reached is saved.
public struct DivergedRun: Error, CustomStringConvertible {
    let phase: RunPhase
    public let cause: NonFiniteUpdate
    /// The batch that the update was to learn from, as JSON.
    public let batch: URL

    private var rateKey: String {
        switch phase {
        case .base: "warmup.learningRate"
        case .sft: "sft.learningRate"
        case .grpo, .rlkd: "reinforcement.learningRate"
        }
    }

    public var description: String {
        let advice =
            cause.step == 1
            ? "are the weights and the batch sane? if they are, lower \(rateKey)"
            : "begin another run with a lower \(rateKey) or optimizer.maxGradientNorm"
        return
            "the run diverged: in phase \(phase.rawValue), step \(cause.step), the \(cause.quantity.rawValue) is not a "
            + "finite number; the batch is kept in \(batch.path); \(advice)"
    }
}
