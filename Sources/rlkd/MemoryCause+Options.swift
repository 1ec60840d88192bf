import Training

extension MemoryCause {
    /// The option with the largest value of those that multiply up to a size.
    static func largest(of options: KeyValuePairs<String, Int>) -> MemoryCause {
        let largest = options.max { $0.value < $1.value }
        return .option(largest?.key ?? "", value: "\(largest?.value ?? 0)")
    }
}
