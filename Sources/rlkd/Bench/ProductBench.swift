import Kernels
import Memory
import Pipelines

/// One product of a linear layer, on all threads at once: each has activations of its own and shares the weights, as rollout
/// workers and micro-batches do.
final class ProductBench: Sendable {
    private let form: ProductForm
    private let shape: ProductShape
    private let packed: AlignedBuffer<Float>
    private let operands: [Operands]

    private final class Operands: Sendable {
        let input: AlignedBuffer<Float>
        let output: AlignedBuffer<Float>
        let gradient: AlignedBuffer<Float>
        let workspace: AlignedBuffer<Float>

        init(_ shape: ProductShape, _ form: ProductForm) {
            input = .filled(shape.rows * shape.depth)
            output = .filled(shape.rows * shape.outputs)
            let isGradient = form == .weightGradient
            gradient = AlignedBuffer(count: isGradient ? shape.outputs * shape.depth : 0)
            workspace = AlignedBuffer(
                count: isGradient
                    ? MatrixProduct.weightGradientWorkspace(
                        rows: shape.rows, outputs: shape.outputs, inputs: shape.depth) : 0)
        }
    }

    init(_ form: ProductForm, _ shape: ProductShape, threads: Int) {
        self.form = form
        self.shape = shape
        let weight = AlignedBuffer<Float>.filled(shape.outputs * shape.depth)
        switch form {
        case .forward:
            packed = AlignedBuffer(count: MatrixProduct.packedCount(outputs: shape.outputs, depth: shape.depth))
            MatrixProduct.pack(
                weight: weight.pointer, outputs: shape.outputs, depth: shape.depth, into: packed.pointer)
        case .inputGradient:
            packed = AlignedBuffer(count: MatrixProduct.packedCount(outputs: shape.depth, depth: shape.outputs))
            MatrixProduct.packTransposed(
                weight: weight.pointer, outputs: shape.outputs, depth: shape.depth, into: packed.pointer)
        case .weightGradient:
            packed = AlignedBuffer(count: 0)
        }
        operands = (0..<threads).map { _ in Operands(shape, form) }
    }

    /// M, N and K in the name are the layer's rows, outputs and inputs in all three forms.
    func measure(on executor: ComputeExecutor, peaks: MachinePeaks) async -> BenchResult {
        let rate = await ParallelTiming.repetitionsPerSecond(on: executor) { self.run($0) }
        let gigaflops = rate * shape.operations * 1e-9
        return BenchResult(
            name: "gemm.f32.\(form.rawValue).\(shape.rows)x\(shape.outputs)x\(shape.depth)", gigaflops: gigaflops,
            fractionOfPeak: gigaflops / peaks.f32GFLOPS)
    }

    private func run(_ thread: Int) {
        let operands = operands[thread]
        switch form {
        case .forward:
            MatrixProduct.multiply(
                operands.input.pointer, rows: shape.rows, rowStride: shape.depth, packed: packed.pointer,
                outputs: shape.outputs, depth: shape.depth, into: operands.output.pointer, resultStride: shape.outputs,
                accumulating: false)
        case .inputGradient:
            MatrixProduct.multiply(
                operands.output.pointer, rows: shape.rows, rowStride: shape.outputs, packed: packed.pointer,
                outputs: shape.depth, depth: shape.outputs, into: operands.input.pointer, resultStride: shape.depth,
                accumulating: false)
        case .weightGradient:
            MatrixProduct.weightGradient(
                outputGradient: operands.output.pointer, outputStride: shape.outputs, input: operands.input.pointer,
                inputStride: shape.depth, rows: shape.rows, outputs: shape.outputs, inputs: shape.depth,
                accumulatingInto: operands.gradient.pointer, workspace: operands.workspace.pointer)
        }
    }
}

extension AlignedBuffer where Element == Float {
    /// Ordinary values: products of zeros or of denormal numbers would be timed otherwise.
    static func filled(_ count: Int) -> AlignedBuffer<Float> {
        let buffer = AlignedBuffer<Float>(count: count)
        Elementwise.fill(buffer.pointer, with: 0.01, count: count)
        return buffer
    }
}
