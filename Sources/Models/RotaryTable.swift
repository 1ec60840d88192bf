import Foundation
import Memory

/// Cosines and sines of the rotary embedding, [position][headDimension / 2], shared by every version of a model's weights.
// Unchecked: written in the initializer alone.
public final class RotaryTable: @unchecked Sendable {
    public let positions: Int
    private let values: AlignedBuffer<Float>
    private let half: Int

    public init(_ configuration: ModelConfiguration) {
        positions = configuration.maxPositions
        half = configuration.headDimension / 2
        values = AlignedBuffer(count: 2 * positions * half)
        for index in 0..<half {
            let exponent = Float(2 * index) / Float(configuration.headDimension)
            let frequency = 1 / Float(pow(configuration.rotaryBase, Double(exponent)))
            for position in 0..<positions {
                // The angle is rounded to a float as PyTorch rounds it; its cosine is then taken exactly.
                let angle = Double(Float(position) * frequency)
                values.pointer[position * half + index] = Float(cos(angle))
                values.pointer[(positions + position) * half + index] = Float(sin(angle))
            }
        }
    }

    var cosine: UnsafePointer<Float> { UnsafePointer(values.pointer) }
    var sine: UnsafePointer<Float> { UnsafePointer(values.pointer + positions * half) }
}
