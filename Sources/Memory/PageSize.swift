/// The pages of the system that a buffer should stand in.
public enum PageSize: Sendable, Hashable {
    /// Those that the system takes by itself.
    case standard
    /// Of 2 MiB where the system has them, for a buffer that is passed over from end to end: translating its addresses costs
    /// next to nothing. Memory is taken by whole pages, so where only corners of a buffer are touched this wastes most of it.
    ///
    /// When the buffer is freed, its addresses are kept out of large pages from then on, for their next owner too, until a buffer
    /// that asks for large ones gets them.
    case large

    static var largeBytes: Int { 2 << 20 }
    /// A smaller buffer stands in standard pages in any case: half a large one could be for nothing.
    static var leastLargeBytes: Int { 2 * largeBytes }
}
