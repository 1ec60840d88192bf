/// The widths that a decoder layer's stages go by, taken from the configuration once: unlike that, plain values alone, so
/// that a copy counts no references.
struct LayerShape: BitwiseCopyable {
    let hiddenSize: Int
    let intermediateSize: Int
    let attentionHeadCount: Int
    let keyValueHeadCount: Int
    let queriesPerKeyValueHead: Int
    let headDimension: Int
    let queryWidth: Int
    let keyValueWidth: Int
    let queryKeyValueWidth: Int
    let rotatedHeadCount: Int
    let rotatedWidth: Int
    let hasCompactKeyValues: Bool
    let attentionScale: Float
    let normalizationEpsilon: Float

    init(_ configuration: ModelConfiguration) {
        hiddenSize = configuration.hiddenSize
        intermediateSize = configuration.intermediateSize
        attentionHeadCount = configuration.attentionHeadCount
        keyValueHeadCount = configuration.keyValueHeadCount
        queriesPerKeyValueHead = configuration.queriesPerKeyValueHead
        headDimension = configuration.headDimension
        queryWidth = configuration.queryWidth
        keyValueWidth = configuration.keyValueWidth
        queryKeyValueWidth = configuration.queryKeyValueWidth
        rotatedHeadCount = configuration.rotatedHeadCount
        rotatedWidth = configuration.rotatedWidth
        hasCompactKeyValues = configuration.hasCompactKeyValues
        attentionScale = configuration.attentionScale
        normalizationEpsilon = configuration.normalizationEpsilon
    }
}
