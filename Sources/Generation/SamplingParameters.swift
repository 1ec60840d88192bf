/// How the next token is drawn from the logits.
public struct SamplingParameters: Sendable, Codable, Hashable {
    /// Divides the logits; 0 takes the most probable token.
    public var temperature: Float
    /// Keeps the most probable tokens alone; 0 keeps all.
    public var topK: Int
    /// Keeps the smallest set of most probable tokens whose mass reaches it; 1 keeps all.
    public var topP: Float

    public init(temperature: Float = 1, topK: Int = 0, topP: Float = 1) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
    }

    public static let greedy = SamplingParameters(temperature: 0)

    /// The lowest temperature that tokens are drawn at: logits divided by less may be infinite.
    public static let leastTemperature: Float = 1e-6

    /// - Throws: `InvalidSampling` naming the value that is out of range.
    public func validate() throws(InvalidSampling) {
        guard temperature == 0 || temperature >= Self.leastTemperature && temperature.isFinite else {
            throw InvalidSampling(
                field: "temperature", value: "\(temperature)",
                allowed: "0, or \(Self.leastTemperature) or more and finite")
        }
        guard topK >= 0 else {
            throw InvalidSampling(field: "topK", value: "\(topK)", allowed: "0 or more")
        }
        guard topP > 0, topP <= 1 else {
            throw InvalidSampling(field: "topP", value: "\(topP)", allowed: "above 0, at most 1")
        }
    }
}

public struct InvalidSampling: Error, CustomStringConvertible, Equatable {
    public var field: String
    public var value: String
    public var allowed: String

    public var description: String { "\(field) is \(value): it must be \(allowed)" }
}
