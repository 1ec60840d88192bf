import Memory

/// The numbers that an embedding is kept in.
enum EmbeddingFormat: Sendable {
    case float32
    /// Where every value is a bfloat16 one, so that nothing is lost.
    case bfloat16

    /// Lanes of 32 bits for so many values.
    func laneCount(_ values: Int) -> Int {
        switch self {
        case .float32: values
        case .bfloat16: (values + 1) / 2
        }
    }
}

/// The token embedding [vocabulary][hidden], whose rows a forward pass begins with.
struct EmbeddingTable {
    let format: EmbeddingFormat
    private let lanes: UnsafeMutablePointer<Float>

    /// - Parameter lanes: `format.laneCount` of the values; they outlive the table.
    init(_ format: EmbeddingFormat, lanes: UnsafeMutablePointer<Float>) {
        self.format = format
        self.lanes = lanes
    }

    /// The lanes of a bfloat16 table, which are zeros or come from `write`: no value in them is ever stored as a float.
    private var halves: UnsafeMutablePointer<UInt16> {
        UnsafeMutableRawPointer(lanes).assumingMemoryBound(to: UInt16.self)
    }

    /// Copies the values from `first` on into `output`, widened.
    func read(from first: Int, count: Int, into output: UnsafeMutablePointer<Float>) {
        switch format {
        case .float32:
            output.update(from: lanes + first, count: count)
        case .bfloat16:
            let source = halves + first
            for index in 0..<count {
                output[index] = Float(bitPattern: UInt32(source[index]) << 16)
            }
        }
    }

    /// Stores values, each of which the format holds.
    func write(_ values: UnsafePointer<Float>, at first: Int, count: Int) {
        switch format {
        case .float32:
            (lanes + first).update(from: values, count: count)
        case .bfloat16:
            let target = halves + first
            for index in 0..<count {
                target[index] = UInt16(truncatingIfNeeded: values[index].bitPattern >> 16)
            }
        }
    }
}
