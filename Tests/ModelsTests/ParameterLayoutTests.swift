import Files
import Models
import Testing

struct ParameterLayoutTests {
    private static let configurations = ModelConfiguration.Architecture.allCases.flatMap { architecture in
        [true, false].map { tied in
            ModelConfiguration(
                architecture: architecture, hiddenSize: 12, intermediateSize: 10, layerCount: 3, attentionHeadCount: 4,
                keyValueHeadCount: 2, headDimension: 6, vocabularySize: 7, maxPositions: 16, tiesEmbeddings: tied)
        }
    }

    @Test(arguments: configurations)
    func tensorsDoNotOverlapAndBlocksAreAligned(configuration: ModelConfiguration) throws {
        let layout = try ParameterLayout(configuration)
        var position = 0
        for entry in layout.entries {
            #expect(entry.offset >= position && entry.offset < position + 16)
            #expect(entry.offset == position || entry.offset.isMultiple(of: 16))
            #expect(entry.count == entry.shape.reduce(1, *))
            #expect(layout[entry.name] == entry)
            position = entry.offset + entry.count
        }
        #expect(layout.count >= position && layout.count < position + 16)
        #expect(layout["absent"] == nil)
        #expect(layout.parameterCount == layout.entries.map(\.count).reduce(0, +))
    }

    @Test(arguments: configurations)
    func offsetsAreThoseOfTheTensors(configuration: ModelConfiguration) throws {
        let layout = try ParameterLayout(configuration)
        func offset(_ name: String) throws -> Int { try #require(layout[name]).offset }
        #expect(layout.entries.first?.name == "model.embed_tokens.weight")
        #expect(try layout.embedding == offset("model.embed_tokens.weight"))
        #expect(try layout.finalNorm == offset("model.norm.weight"))
        if configuration.tiesEmbeddings {
            #expect(layout.head == layout.embedding)
            #expect(layout["lm_head.weight"] == nil)
        } else {
            #expect(try layout.head == offset("lm_head.weight"))
        }
        #expect(layout.layers.count == 3)
        for (index, layer) in layout.layers.enumerated() {
            let prefix = "model.layers.\(index)."
            #expect(try layer.attentionNorm == offset(prefix + "input_layernorm.weight"))
            #expect(try layer.feedForwardNorm == offset(prefix + "post_attention_layernorm.weight"))
            #expect(try layer.output == offset(prefix + "self_attn.o_proj.weight"))
            #expect(try layer.down == offset(prefix + "mlp.down_proj.weight"))
            // [4 · 6, 12], then twice [2 · 6, 12], without gaps.
            #expect(try layer.queryKeyValue == offset(prefix + "self_attn.q_proj.weight"))
            #expect(try layer.queryKeyValue + 24 * 12 == offset(prefix + "self_attn.k_proj.weight"))
            #expect(try layer.queryKeyValue + 36 * 12 == offset(prefix + "self_attn.v_proj.weight"))
            #expect(try layer.gateUp == offset(prefix + "mlp.gate_proj.weight"))
            #expect(try layer.gateUp + 10 * 12 == offset(prefix + "mlp.up_proj.weight"))
            if let bias = layer.queryKeyValueBias {
                #expect(try bias == offset(prefix + "self_attn.q_proj.bias"))
                #expect(try bias + 24 == offset(prefix + "self_attn.k_proj.bias"))
                #expect(try bias + 36 == offset(prefix + "self_attn.v_proj.bias"))
            }
            #expect((layer.queryKeyValueBias != nil) == configuration.hasAttentionBias)
        }
    }

    @Test func impossibleConfigurationsHaveNoLayout() {
        var configuration = Self.configurations[0]
        configuration.hiddenSize = .max
        #expect(throws: FormatError.self) { try ParameterLayout(configuration) }
        configuration.hiddenSize = 12
        configuration.keyValueHeadCount = 0
        #expect(throws: FormatError.self) { try Parameters(configuration: configuration) }
    }
}
