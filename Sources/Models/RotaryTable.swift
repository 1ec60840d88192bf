import Foundation
import Memory

/// Cosines and sines of the rotary embedding, [position][headDimension / 2], shared by every version of a model's weights.
///
/// A table of fewer positions than the model has room for holds the same values for those.
// Unchecked: the values are written in the initializer, before anybody else has the object, and only read from then on.
public final class RotaryTable: @unchecked Sendable {
    public let positions: Int
    let values: AlignedBuffer<Float>
    private let half: Int

    /// - Parameter positions: from the first on; all by default, and never more.
    public init(_ configuration: ModelConfiguration, positions: Int? = nil) {
        self.positions = min(configuration.maxPositions, max(1, positions ?? configuration.maxPositions))
        half = configuration.headDimension / 2
        values = AlignedBuffer(count: 2 * self.positions * half)
        let frequencies = configuration.rotaryScaling.frequencies(
            base: configuration.rotaryBase, dimension: configuration.headDimension)
        let factor = configuration.rotaryScaling.attentionFactor
        for (index, frequency) in frequencies.enumerated() {
            for position in 0..<self.positions {
                // The angle is rounded to a float as PyTorch rounds it; its cosine is then taken exactly.
                let angle = Double(Float(position) * frequency)
                values.pointer[position * half + index] = Float(cos(angle)) * factor
                values.pointer[(self.positions + position) * half + index] = Float(sin(angle)) * factor
            }
        }
    }

    var cosine: UnsafePointer<Float> { UnsafePointer(values.pointer) }
    var sine: UnsafePointer<Float> { UnsafePointer(values.pointer + positions * half) }
}
