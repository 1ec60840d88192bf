import Foundation

@testable import Models

/// Adapters of a fixture's model with what PyTorch computed for them; `Tools/fixtures/adapters.py` makes them.
struct AdapterFixture {
    static let bases = [
        "adapters-all": "qwen3-untied", "adapters-few": "llama-tied", "adapters-head": "qwen3-untied",
    ]
    static let names = bases.keys.sorted()

    let base: Parameters
    let adapters: Adapters
    let tokens: [Int32]
    let logits: [Float]
    let coefficients: [Float]
    let loss: Float
    private let expected: SafeTensors

    static func directory(_ name: String) -> URL { HuggingFaceFixture.directory.appending(path: name) }

    init(_ name: String) throws {
        base = try ModelFixture(Self.bases[name] ?? "").parameters
        adapters = try Adapters(contentsOf: Self.directory(name), of: base.configuration)
        expected = try SafeTensors(url: Self.directory(name).appending(path: "expected.safetensors"))
        tokens = try expected.values("tokens").map { Int32($0) }
        logits = try expected.values("logits")
        coefficients = try expected.values("coefficients")
        loss = try expected.values("loss").reduce(0, +)
    }

    func gradient(of name: String) throws -> [Float] {
        try expected.values("gradient." + name)
    }

    /// All tokens as one sequence, with a target for each that follows another.
    var batch: TrainingBatch {
        var batch = TrainingBatch()
        batch.append(tokens: tokens)
        for row in 0..<tokens.count - 1 {
            batch.addTarget(row: row, token: tokens[row + 1])
        }
        return batch
    }
}
