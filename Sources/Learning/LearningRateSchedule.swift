import Foundation

/// The learning rate by step: a linear warm-up, then constant or falling.
public struct LearningRateSchedule: Sendable, Codable, Equatable {
    public enum Shape: String, Sendable, Codable, CaseIterable {
        case constant
        /// Half a cosine that would reach 0 one step after the last.
        case cosine
        /// A straight line that would reach 0 one step after the last.
        case linear
    }

    public var peak: Double
    public var warmupSteps: Int
    public var totalSteps: Int
    public var shape: Shape

    public init(peak: Double, warmupSteps: Int, totalSteps: Int, shape: Shape) {
        self.peak = peak
        self.warmupSteps = warmupSteps
        self.totalSteps = totalSteps
        self.shape = shape
    }

    /// - Parameter step: counted from 0.
    public func rate(at step: Int) -> Double {
        if step < warmupSteps {
            return peak * (Double(step + 1) / Double(warmupSteps))
        }
        let span = max(1, totalSteps - warmupSteps)
        let progress = min(1, Double(step - warmupSteps) / Double(span))
        switch shape {
        case .constant: return peak
        case .cosine: return peak * 0.5 * (1 + cos(Double.pi * progress))
        case .linear: return peak * (1 - progress)
        }
    }
}
