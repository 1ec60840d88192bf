import Kernels
import Memory
import Models
import Pipelines

/// One product of a linear layer as models compute it, on all threads at once: each has activations of its own and shares the
/// weights, as rollout workers and micro-batches do.
final class ProductBench: Sendable {
    private let form: ProductForm
    private let shape: ProductShape
    private let precision: Precision
    private let packed: AlignedBuffer<Float>
    private let operands: [Operands]

    private final class Operands: Sendable {
        let input: AlignedBuffer<Float>
        let output: AlignedBuffer<Float>
        let gradient: AlignedBuffer<Float>
        let workspace: AlignedBuffer<Float>
        let scratch: AlignedBuffer<BFloat16Pair>

        init(_ shape: ProductShape, _ form: ProductForm, _ precision: Precision) {
            input = .filled(shape.rows * shape.depth)
            output = .filled(shape.rows * shape.outputs)
            let (rows, outputs, inputs) = (shape.rows, shape.outputs, shape.depth)
            switch form {
            case .forward, .inputGradient:
                gradient = AlignedBuffer(count: 0)
                workspace = AlignedBuffer(count: 0)
                scratch = AlignedBuffer(
                    count: PackedMatrix.scratchCount(
                        rows: rows, depth: form == .forward ? inputs : outputs, precision: precision))
            case .weightGradient:
                gradient = AlignedBuffer(count: outputs * inputs)
                workspace = AlignedBuffer(
                    count: WeightGradient.workspaceCount(rows: rows, inputs: inputs, precision: precision))
                scratch = AlignedBuffer(count: 0)
            }
        }
    }

    init(_ form: ProductForm, _ shape: ProductShape, _ precision: Precision, threads: Int) {
        self.form = form
        self.shape = shape
        self.precision = precision
        let weight = AlignedBuffer<Float>.filled(shape.outputs * shape.depth)
        let (outputs, depth) = (shape.outputs, shape.depth)
        switch form {
        case .forward:
            packed = AlignedBuffer(
                count: PackedMatrix.laneCount(outputs: outputs, depth: depth, precision: precision), pages: .large)
            let workspace = AlignedBuffer<BFloat16Pair>(
                count: PackedMatrix.packWorkspace(depth: depth, precision: precision))
            PackedMatrix.pack(
                weight.pointer, outputs: outputs, depth: depth, precision: precision, into: packed.pointer,
                workspace: workspace.pointer)
        case .inputGradient:
            packed = AlignedBuffer(
                count: PackedMatrix.laneCount(outputs: depth, depth: outputs, precision: precision), pages: .large)
            PackedMatrix.packTransposed(
                weight.pointer, outputs: depth, depth: outputs, precision: precision, into: packed.pointer)
        case .weightGradient:
            packed = AlignedBuffer(count: 0)
        }
        operands = (0..<threads).map { _ in Operands(shape, form, precision) }
    }

    /// Products a second beside the peak in operations a second.
    func rounds(on executor: ComputeExecutor) async -> [TimedRound] {
        let precision = precision
        return await ParallelTiming.rounds(
            on: executor, peak: { _ in precision.measurePeak() }, body: { self.run($0) })
    }

    private func run(_ thread: Int) {
        let operands = operands[thread]
        switch form {
        case .forward:
            PackedMatrix(panels: packed.pointer, outputs: shape.outputs, depth: shape.depth, precision: precision)
                .multiply(
                    operands.input.pointer, rows: shape.rows, into: operands.output.pointer,
                    scratch: operands.scratch.pointer)
        case .inputGradient:
            PackedMatrix(panels: packed.pointer, outputs: shape.depth, depth: shape.outputs, precision: precision)
                .multiply(
                    operands.output.pointer, rows: shape.rows, into: operands.input.pointer,
                    scratch: operands.scratch.pointer)
        case .weightGradient:
            WeightGradient.add(
                0..<shape.outputs, outputGradient: operands.output.pointer, input: operands.input.pointer,
                rows: shape.rows, outputs: shape.outputs, inputs: shape.depth, to: operands.gradient.pointer,
                precision: precision, workspace: operands.workspace.pointer)
        }
    }
}

extension AlignedBuffer where Element == Float {
    /// Ordinary values: products of zeros or of denormal numbers would be timed otherwise.
    static func filled(_ count: Int) -> AlignedBuffer<Float> {
        let buffer = AlignedBuffer<Float>(count: count, pages: .large)
        Elementwise.fill(buffer.pointer, with: 0.01, count: count)
        return buffer
    }
}
