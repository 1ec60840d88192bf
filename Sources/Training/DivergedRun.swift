import Foundation
import Learning

/// A run that cannot go on, because its training has come to no numbers. What it had reached while they were is saved.
public struct DivergedRun: Error, CustomStringConvertible {
    /// Where it showed.
    public enum Finding: Sendable {
        /// In an update; `batch` is what that was to learn from, as JSON.
        case update(NonFiniteUpdate, batch: URL)
        /// In the evaluation after the phase's last update.
        case evaluation(NonFiniteEvaluation, step: Int)
    }

    public let finding: Finding
    let phase: RunPhase
    let configuration: RunConfiguration

    /// The phase's update that showed it, or after which it showed, from 1.
    public var step: Int {
        switch finding {
        case .update(let cause, _): cause.step
        case .evaluation(_, let step): step
        }
    }

    private var learningRate: String {
        let (key, rate) =
            switch phase {
            case .base: ("warmup", configuration.warmup.learningRate)
            case .sft: ("sft", configuration.sft.learningRate)
            case .grpo, .rlkd: ("reinforcement", configuration.reinforcement.learningRate)
            }
        return "\(key).learningRate (it is \(rate))"
    }

    private var clipping: String {
        let limit = configuration.optimizer.maxGradientNorm
        return "optimizer.maxGradientNorm (it is \(limit == 0 ? "0, which is no limit" : "\(limit)"))"
    }

    public var description: String {
        switch finding {
        case .update(let cause, let batch):
            let advice =
                cause.step == 1 && cause.quantity != .weights
                ? "are the weights and the batch sane? if they are, lower \(learningRate)"
                : "begin another run with a lower \(learningRate) or \(clipping)"
            return
                "the run diverged: in phase \(phase.rawValue), step \(cause.step), \(cause.finding); the batch is kept in "
                + "\(batch.path); \(advice)"
        case .evaluation(let cause, let step):
            return
                "the run diverged: after step \(step) of phase \(phase.rawValue), \(cause.finding); begin another run with a "
                + "lower \(learningRate) or \(clipping), unless evaluation.temperature (it is "
                + "\(configuration.evaluation.temperature)) is at fault"
        }
    }
}
