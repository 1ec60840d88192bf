import Foundation

/// The formulas are those of transformers, rounded to floats where it rounds, so that angles at far positions agree.
extension RotaryScaling {
    /// Angle per position of each pair, [dimension / 2].
    func frequencies(base: Double, dimension: Int) -> [Float] {
        let powers = (0..<dimension / 2).map { Float(pow(base, Double(Float(2 * $0) / Float(dimension)))) }
        switch self {
        case .none: return powers.map { 1 / $0 }
        case .linear(let factor): return powers.map { 1 / $0 / Float(factor) }
        case .llama3(let scaling): return powers.map { scaling.frequency(1 / $0) }
        case .yarn(let scaling): return scaling.frequencies(powers, base: base, dimension: dimension)
        }
    }

    /// Factor on the cosines and sines.
    var attentionFactor: Float {
        guard case .yarn(let scaling) = self else { return 1 }
        if let factor = scaling.attentionFactor { return Float(factor) }
        func magnitude(_ scale: Double) -> Double {
            scaling.factor <= 1 ? 1 : 0.1 * scale * log(scaling.factor) + 1
        }
        let scale = scaling.magnitudeScale ?? 0
        let all = scaling.magnitudeScaleAllDimensions ?? 0
        return Float(scale != 0 && all != 0 ? magnitude(scale) / magnitude(all) : magnitude(1))
    }
}

extension RotaryScaling.Llama3 {
    fileprivate func frequency(_ frequency: Float) -> Float {
        let original = Double(originalMaxPositions)
        let wavelength = Float(2 * Double.pi) / frequency
        if wavelength > Float(original / lowFrequencyFactor) { return frequency / Float(factor) }
        if wavelength < Float(original / highFrequencyFactor) { return frequency }
        let smooth =
            (Float(original) / wavelength - Float(lowFrequencyFactor))
            / Float(highFrequencyFactor - lowFrequencyFactor)
        return (1 - smooth) * frequency / Float(factor) + smooth * frequency
    }
}

extension RotaryScaling.Yarn {
    fileprivate func frequencies(_ powers: [Float], base: Double, dimension: Int) -> [Float] {
        /// The dimension that turns `rotations` times over the original context.
        func edge(_ rotations: Double) -> Double {
            Double(dimension) * log(Double(originalMaxPositions) / (rotations * 2 * .pi)) / (2 * log(base))
        }
        var low = edge(betaFast)
        var high = edge(betaSlow)
        if truncates {
            low = low.rounded(.down)
            high = high.rounded(.up)
        }
        low = max(low, 0)
        high = min(high, Double(dimension - 1))
        // An empty ramp would divide by zero.
        if low == high { high += 0.001 }
        return powers.enumerated().map { index, power in
            let ramp = min(max((Float(index) - Float(low)) / Float(high - low), 0), 1)
            let kept = 1 - ramp
            return 1 / (Float(factor) * power) * (1 - kept) + 1 / power * kept
        }
    }
}
