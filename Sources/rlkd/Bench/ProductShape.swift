import Models

/// A linear layer over a batch: `rows` activations of width `depth` to width `outputs`.
struct ProductShape: Hashable, Sendable {
    var rows: Int
    var outputs: Int
    var depth: Int

    /// The model's matrices, each shape once, in the order of the forward pass.
    static func matrices(of shape: ModelConfiguration) -> [(outputs: Int, depth: Int)] {
        [
            (shape.queryKeyValueWidth, shape.hiddenSize), (shape.hiddenSize, shape.queryWidth),
            (2 * shape.intermediateSize, shape.hiddenSize), (shape.hiddenSize, shape.intermediateSize),
            (shape.vocabularySize, shape.hiddenSize),
        ]
    }

    /// All products of models with batches, each once, in order.
    static func products(of models: [ModelConfiguration], rows: [Int]) -> [ProductShape] {
        var seen: Set<ProductShape> = []
        return models.flatMap { model in
            matrices(of: model).flatMap { matrix in
                rows.map { ProductShape(rows: $0, outputs: matrix.outputs, depth: matrix.depth) }
            }
        }.filter { seen.insert($0).inserted }
    }

    /// What the weights take in `ProductBench`: as they are and packed, or each thread's gradient of them.
    func weightBytes(threads: Int) -> Double { Double(max(2, threads)) * 4 * Double(outputs) * Double(depth) }

    /// What all threads' activations take there: operands, and as much again as workspace.
    func rowBytes(threads: Int) -> Double { Double(threads) * 2 * 4 * Double(rows) * (Double(outputs) + Double(depth)) }

    func bytes(threads: Int) -> Double { weightBytes(threads: threads) + rowBytes(threads: threads) }

    var operations: Double { 2 * Double(rows) * Double(outputs) * Double(depth) }

    /// M, N and K in the name are the layer's rows, outputs and inputs in all three forms.
    func result(_ form: ProductForm, _ precision: Precision, _ rounds: [TimedRound]) -> BenchResult {
        let fastest = rounds.fastest(unit: operations)
        return BenchResult(
            name: "gemm.\(precision.rawValue).\(form.rawValue).\(rows)x\(outputs)x\(depth)",
            gigaflops: fastest.rate * operations * 1e-9, fractionOfPeak: fastest.rate * operations / fastest.peak)
    }

    /// Of one row's product, which is held against the peak of reading.
    func vectorResult(_ precision: Precision, _ rounds: [TimedRound]) -> BenchResult {
        let bytes = 4 * Double(PackedMatrix.laneCount(outputs: outputs, depth: depth, precision: precision))
        let fastest = rounds.fastest(unit: bytes)
        return BenchResult(
            name: "gemv.\(precision.rawValue).\(outputs)x\(depth)", gigaflops: fastest.rate * operations * 1e-9,
            fractionOfPeak: fastest.rate * bytes / fastest.peak)
    }
}

/// The three products of a linear layer.
enum ProductForm: String, CaseIterable, Sendable {
    case forward, inputGradient, weightGradient
}
