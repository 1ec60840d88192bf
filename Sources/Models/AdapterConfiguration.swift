import Files

/// Low-rank adapters (Hu et al., "LoRA", arXiv 2106.09685): each weight W of the projections named becomes
/// W + (alpha / rank) · B · A with A [rank, inputs] and B [outputs, rank].
public struct AdapterConfiguration: Sendable, Hashable {
    public var rank: Int
    public var alpha: Double
    public var projections: Set<Projection>

    /// Not checked; `validate` does that.
    public init(rank: Int, alpha: Double, projections: Set<Projection> = Set(Projection.ofLayers)) {
        self.rank = rank
        self.alpha = alpha
        self.projections = projections
    }

    /// Factor on B · A.
    public var scale: Float { Float(alpha / Double(rank)) }

    /// Throws `FormatError` naming `file` and the first field, as PEFT calls it, that makes adapters impossible.
    public func validate(file: String = "adapter_config.json") throws {
        func require(_ condition: Bool, _ field: String, _ reason: String) throws {
            guard condition else { throw FormatError(file: file, field: field, reason: reason) }
        }
        try require(1...65_536 ~= rank, "r", "\(rank) is not between 1 and 65536")
        try require(alpha.isFinite && alpha > 0, "lora_alpha", "\(alpha) is not a finite number above 0")
        try require(
            scale.isNormal, "lora_alpha", "\(alpha) / r is \(alpha / Double(rank)), beyond what 32-bit floats hold")
        let names = Projection.allCases.map(\.rawValue).joined(separator: ", ")
        try require(!projections.isEmpty, "target_modules", "names none of \(names)")
    }

    /// Likewise of adapters on a model of that shape.
    public func validate(of shape: ModelConfiguration, file: String = "adapter_config.json") throws {
        try validate(file: file)
        guard fits(shape) else {
            throw FormatError(
                file: file, field: "target_modules",
                reason: "names lm_head, which the model ties to its embedding: merging would change both")
        }
    }

    /// Whether the model has all that the adapters change: a head that is the embedding is none of its own.
    public func fits(_ shape: ModelConfiguration) -> Bool {
        !shape.tiesEmbeddings || !projections.contains(.head)
    }
}
