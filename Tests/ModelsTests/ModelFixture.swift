import Foundation

@testable import Models

/// A small model with what PyTorch computed for it; `Tools/fixtures/models.py` makes them.
struct ModelFixture {
    static let names = HuggingFaceFixture.names

    let parameters: Parameters
    let tokens: [Int32]
    /// [positions][vocabulary].
    let logits: [Float]
    let coefficients: [Float]
    let loss: Float
    private let expected: SafeTensors

    init(_ name: String) throws {
        let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name)")
        parameters = try HuggingFaceDirectory.load(directory).1
        expected = try SafeTensors(url: directory.appending(path: "expected.safetensors"))
        tokens = try expected.values("tokens").map { Int32($0) }
        logits = try expected.values("logits")
        coefficients = try expected.values("coefficients")
        loss = try expected.values("loss").reduce(0, +)
    }

    func gradient(of name: String) throws -> [Float] {
        try expected.values("gradient." + name)
    }

    /// All tokens as one sequence, with a target for each that follows another.
    var batch: TrainingBatch { TrainingBatch(predicting: tokens) }
}

extension TrainingBatch {
    /// One sequence, with a target for each token that follows another.
    init(predicting tokens: [Int32]) {
        self.init()
        append(tokens: tokens)
        for row in 0..<tokens.count - 1 {
            addTarget(row: row, token: tokens[row + 1])
        }
    }
}
