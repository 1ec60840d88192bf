import Memory
import Testing

/// Bytes that the allocator gave this thread while `body` ran; what `body` returns is alive until then.
func allocated<Value>(_ body: () throws -> Value) rethrows -> Double {
    let before = Allocator.threadAllocatedBytes()
    let value = try body()
    return withExtendedLifetime(value) { Double(Allocator.threadAllocatedBytes() - before) }
}

/// Neither so low that work is let in that cannot fit, nor so high that work is refused that could.
func expectClose(
    _ estimate: Double, _ measured: Double, sourceLocation: SourceLocation = #_sourceLocation
) {
    // The allocator rounds up to its size classes, which no estimate counts.
    #expect(
        (0.85...1.1).contains(estimate / measured), "\(estimate) estimated, \(measured) taken",
        sourceLocation: sourceLocation)
}
