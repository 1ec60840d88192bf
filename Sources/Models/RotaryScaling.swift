import Foundation

/// How a model stretches its rotary embedding beyond the context of its pretraining: `rope_scaling`, or `rope_parameters`
/// since transformers 5, of config.json.
public enum RotaryScaling: Sendable, Hashable {
    case none
    /// Every frequency divided by `factor`.
    case linear(factor: Double)
    case llama3(Llama3)
    case yarn(Yarn)

    /// Llama 3.1: low frequencies divided by `factor`, high ones kept, those between interpolated.
    public struct Llama3: Sendable, Hashable {
        public var factor: Double
        /// Wavelengths above `originalMaxPositions / lowFrequencyFactor` are stretched whole.
        public var lowFrequencyFactor: Double
        /// Wavelengths below `originalMaxPositions / highFrequencyFactor` are kept.
        public var highFrequencyFactor: Double
        /// The longest sequence of pretraining.
        public var originalMaxPositions: Int

        public init(
            factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalMaxPositions: Int
        ) {
            self.factor = factor
            self.lowFrequencyFactor = lowFrequencyFactor
            self.highFrequencyFactor = highFrequencyFactor
            self.originalMaxPositions = originalMaxPositions
        }
    }

    /// YaRN (Peng et al., arXiv 2309.00071): a ramp over dimensions from kept to interpolated frequencies, and a factor on
    /// the rotated queries and keys.
    public struct Yarn: Sendable, Hashable {
        public var factor: Double
        /// The longest sequence of pretraining.
        public var originalMaxPositions: Int
        /// Factor on cosines and sines; nil infers it from `factor` and the two magnitudes below.
        public var attentionFactor: Double?
        /// Rotations over the original context at which the ramp begins and ends.
        public var betaFast: Double
        public var betaSlow: Double
        public var magnitudeScale: Double?
        public var magnitudeScaleAllDimensions: Double?
        /// Whether the ramp's ends are rounded to whole dimensions.
        public var truncates: Bool

        public init(
            factor: Double, originalMaxPositions: Int, attentionFactor: Double? = nil, betaFast: Double = 32,
            betaSlow: Double = 1, magnitudeScale: Double? = nil, magnitudeScaleAllDimensions: Double? = nil,
            truncates: Bool = true
        ) {
            self.factor = factor
            self.originalMaxPositions = originalMaxPositions
            self.attentionFactor = attentionFactor
            self.betaFast = betaFast
            self.betaSlow = betaSlow
            self.magnitudeScale = magnitudeScale
            self.magnitudeScaleAllDimensions = magnitudeScaleAllDimensions
            self.truncates = truncates
        }
    }

    /// What bases and factors are taken from: between them, angles at all positions are numbers in single precision.
    static let possible = 1e-12...1e30
    /// What cosines and sines are multiplied by at most, and the scales that such a factor is inferred from.
    private static let largestMagnitude = 1e6

    /// The first field that makes the scaling impossible, by its name in config.json, and why.
    ///
    /// - Parameter base: θ of the embedding.
    func problem(base: Double) -> (field: String, reason: String)? {
        func positive(_ field: String, _ value: Double) -> (String, String)? {
            Self.possible ~= value
                ? nil
                : (field, "\(value) is not a number from \(Self.possible.lowerBound) to \(Self.possible.upperBound)")
        }
        func positions(_ count: Int) -> (String, String)? {
            1...Int(Int32.max) ~= count
                ? nil : ("original_max_position_embeddings", "\(count) is not between 1 and \(Int32.max)")
        }
        switch self {
        case .none: return nil
        case .linear(let factor): return positive("factor", factor)
        case .llama3(let scaling):
            let low = scaling.lowFrequencyFactor
            let high = scaling.highFrequencyFactor
            return positive("factor", scaling.factor) ?? positive("low_freq_factor", low)
                ?? positive("high_freq_factor", high) ?? positions(scaling.originalMaxPositions)
                ?? (low < high ? nil : ("high_freq_factor", "\(high) is not above low_freq_factor, \(low)"))
        case .yarn(let scaling):
            if let problem = positive("factor", scaling.factor) ?? positive("beta_fast", scaling.betaFast)
                ?? positive("beta_slow", scaling.betaSlow) ?? positions(scaling.originalMaxPositions)
            {
                return problem
            }
            let optional = [
                ("attention_factor", scaling.attentionFactor), ("mscale", scaling.magnitudeScale),
                ("mscale_all_dim", scaling.magnitudeScaleAllDimensions),
            ]
            for case (let field, let value?) in optional where !(0...Self.largestMagnitude ~= value) {
                return (field, "\(value) is not a number from 0 to \(Self.largestMagnitude)")
            }
            guard scaling.betaSlow <= scaling.betaFast else {
                return ("beta_fast", "\(scaling.betaFast) is below beta_slow, \(scaling.betaSlow)")
            }
            return base > 1 ? nil : ("rope_theta", "yarn needs a base above 1, not \(base)")
        }
    }
}
