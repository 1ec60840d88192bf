#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Floats between pages that cannot be touched: what reads or writes right behind them ends the process.
struct GuardedFloats: ~Copyable {
    let pointer: UnsafeMutablePointer<Float>
    let count: Int
    private let memory: UnsafeMutableRawPointer
    private let bytes: Int

    init(_ values: [Float]) {
        let page = Int(getpagesize())
        let used = (values.count * MemoryLayout<Float>.stride + page - 1) / page * page
        bytes = used + 2 * page
        guard let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0),
            memory != MAP_FAILED, mprotect(memory, page, PROT_NONE) == 0,
            mprotect(memory + page + used, page, PROT_NONE) == 0
        else { fatalError("no memory to test with") }
        self.memory = memory
        count = values.count
        pointer = (memory + page + used).assumingMemoryBound(to: Float.self) - values.count
        pointer.initialize(from: values, count: values.count)
    }

    deinit { munmap(memory, bytes) }

    var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
