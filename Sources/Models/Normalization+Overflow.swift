import Kernels

extension Normalization {
    /// `forward`, but a row whose sum of squares overflows comes out as no numbers.
    ///
    /// The root of an infinite mean has the inverse 0, so such a row would come out as zeros, and what follows as a uniform
    /// distribution of finite log-probabilities, which nobody could tell from a model's own. As no numbers they stay that to
    /// the end, where every command looks for them.
    static func forwardMarkingOverflow(
        input: UnsafePointer<Float>, weight: UnsafePointer<Float>, rows: Int, width: Int, epsilon: Float,
        output: UnsafeMutablePointer<Float>, reciprocal: UnsafeMutablePointer<Float>
    ) {
        forward(
            input: input, weight: weight, rows: rows, width: width, epsilon: epsilon, output: output,
            reciprocal: reciprocal)
        for row in 0..<rows where reciprocal[row] == 0 {
            Elementwise.fill(output + row * width, with: .nan, count: width)
        }
    }
}
