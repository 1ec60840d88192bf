import Foundation
import Memory

/// Cosines and sines of the rotary embedding, [position][headDimension / 2], shared by every version of a model's weights.
// Unchecked: written in the initializer alone.
public final class RotaryTable: @unchecked Sendable {
    public let positions: Int
    let values: AlignedBuffer<Float>
    private let half: Int

    /// Bytes of the table.
    public static func byteCount(_ configuration: ModelConfiguration) -> Int {
        4 * configuration.maxPositions * configuration.headDimension
    }

    public init(_ configuration: ModelConfiguration) {
        positions = configuration.maxPositions
        half = configuration.headDimension / 2
        values = AlignedBuffer(count: Self.byteCount(configuration) / 4)
        let frequencies = configuration.rotaryScaling.frequencies(
            base: configuration.rotaryBase, dimension: configuration.headDimension)
        let factor = configuration.rotaryScaling.attentionFactor
        for (index, frequency) in frequencies.enumerated() {
            for position in 0..<positions {
                // The angle is rounded to a float as PyTorch rounds it; its cosine is then taken exactly.
                let angle = Double(Float(position) * frequency)
                values.pointer[position * half + index] = Float(cos(angle)) * factor
                values.pointer[(positions + position) * half + index] = Float(sin(angle)) * factor
            }
        }
    }

    var cosine: UnsafePointer<Float> { UnsafePointer(values.pointer) }
    var sine: UnsafePointer<Float> { UnsafePointer(values.pointer + positions * half) }
}
