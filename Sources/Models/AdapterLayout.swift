import Files

/// Where every A and B stands in one flat vector of floats: layer by layer, projections in the order of `Projection`, A
/// before B, each at a multiple of 16 floats, a cache line; then the head's; the gaps stay 0.
public struct AdapterLayout: Sendable, Hashable {
    /// The adapter of one projection of one layer, or of the head.
    struct Site: Sendable, Hashable {
        /// Its place among all.
        let index: Int
        let projection: Projection
        let inputs: Int
        let outputs: Int
        /// The projection's first row within its block.
        let firstRow: Int
        /// Offset, in floats, of A [rank, inputs] and of B [outputs, rank].
        let a: Int
        let b: Int
    }

    /// By PEFT's names, for example `base_model.model.model.layers.0.mlp.up_proj.lora_A.weight`.
    public private(set) var entries: [ParameterLayout.Entry] = []
    /// Length of the vector in floats, gaps included.
    public private(set) var count = 0
    private(set) var layers: [[Site]] = []
    /// Nil where the head has none.
    private(set) var head: Site?
    private let rank: Int

    /// Throws what the configurations' `validate` throw.
    public init(_ configuration: AdapterConfiguration, of shape: ModelConfiguration) throws {
        try configuration.validate(of: shape)
        try shape.validate()
        rank = configuration.rank
        let projections = Projection.ofLayers.filter { configuration.projections.contains($0) }
        let widths = configuration.projections.reduce(0.0) { $0 + Double($1.inputs(shape)) + Double($1.outputs(shape)) }
        guard Double(configuration.rank) * widths * Double(shape.layerCount) < 0x1p56 else {
            throw FormatError(
                file: "adapter_config.json", field: "r",
                reason: "adapters of rank \(configuration.rank) would not fit any memory")
        }
        for layer in 0..<shape.layerCount {
            layers.append(projections.map { appendSite($0, within: "model.layers.\(layer).", shape) })
        }
        if configuration.projections.contains(.head) { head = appendSite(.head, within: "", shape) }
    }

    /// All adapters, in the order of the vector.
    var sites: [Site] { layers.joined() + [head].compactMap { $0 } }

    private mutating func appendSite(_ projection: Projection, within place: String, _ shape: ModelConfiguration)
        -> Site
    {
        let inputs = projection.inputs(shape)
        let outputs = projection.outputs(shape)
        let name = "base_model.model.\(place)\(projection.path)"
        return Site(
            index: entries.count / 2, projection: projection, inputs: inputs, outputs: outputs,
            firstRow: projection.firstRow(shape), a: append("\(name).lora_A.weight", [rank, inputs]),
            b: append("\(name).lora_B.weight", [outputs, rank]))
    }

    private mutating func append(_ name: String, _ shape: [Int]) -> Int {
        let start = count
        let size = shape.reduce(1, *)
        entries.append(ParameterLayout.Entry(name: name, shape: shape, offset: start, count: size))
        count += (size + 15) / 16 * 16
        return start
    }

    /// How many parameters there are, gaps excluded.
    public var parameterCount: Int { entries.reduce(0) { $0 + $1.count } }
}
