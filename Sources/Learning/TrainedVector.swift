import Models

/// The vector of floats that updates change: all of a model's weights, or its adapters alone.
///
/// It lives as long as the weights or adapters that it was made of.
struct TrainedVector {
    let entries: [ParameterLayout.Entry]
    let count: Int
    let pointer: UnsafeMutablePointer<Float>

    init(_ parameters: Parameters, _ adapters: Adapters?) {
        if let adapters {
            (entries, count, pointer) = (adapters.layout.entries, adapters.count, adapters.pointer)
        } else {
            (entries, count, pointer) = (parameters.layout.entries, parameters.count, parameters.pointer)
        }
    }
}
