extension BoundedQueue: AsyncSequence {
    /// Receives until the queue is closed and drained; several iterators share the elements between them.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let queue: BoundedQueue<Element>

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Element? {
            try await queue.receive()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(queue: self)
    }
}
