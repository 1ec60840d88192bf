import Trajectories

/// Fresh weights, made a stretch at a time; see `Parameters.randomized`.
struct RandomWeights: WeightOrigin {
    let configuration: ModelConfiguration
    let layout: ParameterLayout
    private let seed: UInt64
    private let deviation: Float

    var embeddingFormat: EmbeddingFormat { .float32 }
    static var isInMemory: Bool { false }

    /// Throws `FormatError` for an impossible configuration.
    init(_ configuration: ModelConfiguration, seed: UInt64, deviation: Float) throws {
        self.configuration = configuration
        self.seed = seed
        self.deviation = deviation
        layout = try ParameterLayout(configuration)
    }

    func values(_ range: Range<Int>, buffer: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
        layout.forEachPart(of: range) { entry, elements in
            let start = layout.entries[entry].offset + elements.lowerBound - range.lowerBound
            fill(entry, elements, into: buffer + start)
        }
        return UnsafePointer(buffer)
    }

    /// Makes some elements of a tensor. Those of a tensor depend on the seed and its name alone.
    func fill(_ index: Int, _ elements: Range<Int>, into values: UnsafeMutablePointer<Float>) {
        let entry = layout.entries[index]
        if entry.name.hasSuffix("norm.weight") {
            values.update(repeating: 1, count: elements.count)
        } else if entry.name.hasSuffix(".bias") {
            values.update(repeating: 0, count: elements.count)
        } else {
            let addsToResidual = entry.name.hasSuffix("o_proj.weight") || entry.name.hasSuffix("down_proj.weight")
            let residualScale = 1 / Float(2 * configuration.layerCount).squareRoot()
            let name = Problem(id: entry.name, question: "", answer: nil)
            let stream = RandomStream(seed: seed, purpose: .initialization, problem: name.key)
            fill(elements, into: values, from: stream, addsToResidual ? deviation * residualScale : deviation)
        }
    }

    /// A word of random numbers makes four elements; a stretch may begin and end within one.
    private func fill(
        _ elements: Range<Int>, into values: UnsafeMutablePointer<Float>, from stream: RandomStream, _ deviation: Float
    ) {
        for block in elements.lowerBound / 4..<(elements.upperBound + 3) / 4 {
            let words = stream.words(at: block)
            let (first, second) = Philox.normal(words.x, words.y)
            let (third, fourth) = Philox.normal(words.z, words.w)
            let normals = SIMD4(first, second, third, fourth) * deviation
            for index in max(elements.lowerBound, 4 * block)..<min(elements.upperBound, 4 * block + 4) {
                values[index - elements.lowerBound] = normals[index - 4 * block]
            }
        }
    }
}
