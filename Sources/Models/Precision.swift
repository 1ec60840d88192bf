/// The numbers that matrix products and attention multiply, and in which keys and values are kept. Everything else, sums
/// included, is in single precision.
public enum Precision: String, Sendable, BitwiseCopyable, Hashable, Codable, CaseIterable {
    case float32 = "f32"
    case bfloat16 = "bf16"
}
