@testable import Models

extension PolicyWeights {
    /// [vocabulary][hidden], whatever the format that it is kept in.
    var embeddingValues: [Float] {
        let count = offsets.embeddingCount
        return Array(unsafeUninitializedCapacity: count) { buffer, initialized in
            if let start = buffer.baseAddress { embedding.read(from: 0, count: count, into: start) }
            initialized = count
        }
    }

    /// Of everything that forward passes read, but for the rotary table.
    var bits: [UInt32] {
        embeddingValues.map(\.bitPattern) + (0..<plain.count).map { plain.pointer[$0].bitPattern }
            + (0..<panels.count).map { panels.pointer[$0].bitPattern }
    }
}
