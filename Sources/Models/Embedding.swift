import Kernels

/// The token embedding as rows of a table.
enum Embedding {
    /// `output` [rows][width] = table[token].
    static func gather(
        _ table: EmbeddingTable, tokens: UnsafePointer<Int32>, rows: Int, width: Int,
        into output: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<rows {
            table.read(from: Int(tokens[row]) * width, count: width, into: output + row * width)
        }
    }

    /// tableGradient[token] += gradient row, in order of rows.
    static func scatter(
        _ gradient: UnsafePointer<Float>, tokens: UnsafePointer<Int32>, rows: Int, width: Int,
        into tableGradient: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<rows {
            Elementwise.add(gradient + row * width, into: tableGradient + Int(tokens[row]) * width, count: width)
        }
    }
}
