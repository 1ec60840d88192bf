import Files

/// Where every A and B stands in one flat vector of floats: layer by layer, projections in the order of `Projection`, A
/// before B, each at a multiple of 16 floats, a cache line; the gaps stay 0.
public struct AdapterLayout: Sendable, Hashable {
    /// The adapter of one projection of one layer.
    struct Site: Sendable, Hashable {
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

    /// Throws what the configurations' `validate` throw.
    public init(_ configuration: AdapterConfiguration, of shape: ModelConfiguration) throws {
        try configuration.validate()
        try shape.validate()
        let projections = Projection.allCases.filter { configuration.projections.contains($0) }
        let widths = projections.reduce(0.0) { $0 + Double($1.block.inputs(shape)) + Double($1.outputs(shape)) }
        guard Double(configuration.rank) * widths * Double(shape.layerCount) < 0x1p56 else {
            throw FormatError(
                file: "adapter_config.json", field: "r",
                reason: "adapters of rank \(configuration.rank) would not fit any memory")
        }
        for layer in 0..<shape.layerCount {
            var sites: [Site] = []
            for projection in projections {
                let inputs = projection.block.inputs(shape)
                let outputs = projection.outputs(shape)
                let name = "base_model.model.model.layers.\(layer).\(projection.path)"
                sites.append(
                    Site(
                        projection: projection, inputs: inputs, outputs: outputs,
                        firstRow: projection.firstRow(shape),
                        a: append("\(name).lora_A.weight", [configuration.rank, inputs]),
                        b: append("\(name).lora_B.weight", [outputs, configuration.rank])))
            }
            layers.append(sites)
        }
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
