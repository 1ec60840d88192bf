/// What the allocator holds at one moment; bytes unless said otherwise.
public struct AllocatorStatistics: Sendable, Codable, Hashable {
    /// jemalloc's version, for example `5.3.0-0-g54eaed1d`.
    public var version: String
    /// Number of arenas in use, automatic and explicit.
    public var arenas: Int
    /// In live allocations, rounded up to size classes.
    public var allocatedBytes: Int
    /// In pages that hold a live allocation.
    public var activeBytes: Int
    /// Physically resident and mapped by the allocator, its own records included.
    public var residentBytes: Int
    /// Mapped from the system in active extents.
    public var mappedBytes: Int

    public init(
        version: String, arenas: Int, allocatedBytes: Int, activeBytes: Int, residentBytes: Int, mappedBytes: Int
    ) {
        self.version = version
        self.arenas = arenas
        self.allocatedBytes = allocatedBytes
        self.activeBytes = activeBytes
        self.residentBytes = residentBytes
        self.mappedBytes = mappedBytes
    }
}

/// jemalloc refused a control call.
public struct AllocatorError: Error, Hashable, CustomStringConvertible {
    /// The control's name, for example `stats.allocated`.
    public var control: String
    /// The `errno` value that jemalloc returned.
    public var code: Int32

    public init(control: String, code: Int32) {
        self.control = control
        self.code = code
    }

    public var description: String {
        "jemalloc refused “\(control)” with error \(code); is the library built with statistics?"
    }
}
