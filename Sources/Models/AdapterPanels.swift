import Kernels
import Memory

/// Adapters packed for their own gradients. Of a linear layer Y = X (W + s B A)ᵀ with s = alpha / rank these are
/// dB = dYᵀ (X (s A)ᵀ) and dA = (dY (s B))ᵀ X, which need no gradient of W.
///
/// The learner packs them after each optimizer step, and its threads read them.
// Unchecked: written by `write` alone. The learner calls it when it has awaited the tasks of an update, and begins those of the
// next, which read, after it has returned.
public final class AdapterPanels: @unchecked Sendable {
    public let configuration: AdapterConfiguration
    public let layout: AdapterLayout
    /// The shape of the model that the adapters belong to.
    let model: ModelConfiguration
    let panels: AlignedBuffer<Float>
    private let offsets: AdapterPanelOffsets

    public init(_ adapters: Adapters) {
        configuration = adapters.configuration
        layout = adapters.layout
        model = adapters.model
        offsets = AdapterPanelOffsets(layout, rank: configuration.rank)
        panels = AlignedBuffer(count: offsets.count, pages: .large)
        write(adapters)
    }

    /// Bytes of the packed matrices. Throws `FormatError` for an impossible configuration.
    public static func byteCount(_ configuration: AdapterConfiguration, of model: ModelConfiguration) throws -> Int {
        let layout = try AdapterLayout(configuration, of: model)
        return 4 * AdapterPanelOffsets(layout, rank: configuration.rank).count
    }

    public func write(_ adapters: Adapters) {
        let rank = configuration.rank
        let sites = layout.sites
        let largest = sites.map { rank * max($0.inputs, $0.outputs) }.max() ?? 0
        let scaled = AlignedBuffer<Float>(count: largest)
        for site in sites {
            let to = offsets.sites[site.index]
            scale(adapters, site.a, count: rank * site.inputs, into: scaled.pointer)
            MatrixProduct.pack(weight: scaled.pointer, outputs: rank, depth: site.inputs, into: panels.pointer + to.a)
            scale(adapters, site.b, count: rank * site.outputs, into: scaled.pointer)
            MatrixProduct.packTransposed(
                weight: scaled.pointer, outputs: site.outputs, depth: rank, into: panels.pointer + to.b)
        }
    }

    private func scale(_ adapters: Adapters, _ offset: Int, count: Int, into scaled: UnsafeMutablePointer<Float>) {
        scaled.update(from: adapters.pointer + offset, count: count)
        Elementwise.scale(scaled, by: configuration.scale, count: count)
    }

    /// s A, packed for X (s A)ᵀ.
    func a(_ site: AdapterLayout.Site) -> UnsafePointer<Float> {
        UnsafePointer(panels.pointer + offsets.sites[site.index].a)
    }

    /// s B, packed for dY (s B).
    func b(_ site: AdapterLayout.Site) -> UnsafePointer<Float> {
        UnsafePointer(panels.pointer + offsets.sites[site.index].b)
    }
}

/// Offsets, in floats, of the packed matrices, in the order of `AdapterLayout.sites`.
private struct AdapterPanelOffsets {
    private(set) var sites: [(a: Int, b: Int)] = []
    private(set) var count = 0

    init(_ layout: AdapterLayout, rank: Int) {
        for site in layout.sites {
            let b = count + MatrixProduct.packedCount(outputs: rank, depth: site.inputs)
            sites.append((count, b))
            count = b + MatrixProduct.packedCount(outputs: rank, depth: site.outputs)
        }
    }
}
