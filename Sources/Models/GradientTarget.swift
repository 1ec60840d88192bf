/// Where a backward pass adds the gradients of the weights.
enum GradientTarget {
    /// All of them, laid out so from there.
    case parameters(ParameterLayout, UnsafeMutablePointer<Float>)
    /// The adapters' alone; the weights below them stand still.
    case adapters(AdapterPanels, UnsafeMutablePointer<Float>)

    /// The adapters' rank.
    var rank: Int? {
        guard case .adapters(let panels, _) = self else { return nil }
        return panels.configuration.rank
    }

    /// Where a tensor's gradient is added; nil where it is not wanted, or the model has no such tensor.
    func tensor(_ offset: (ParameterLayout) -> Int?) -> UnsafeMutablePointer<Float>? {
        guard case .parameters(let layout, let gradient) = self else { return nil }
        return offset(layout).map { gradient + $0 }
    }
}
