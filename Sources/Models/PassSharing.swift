/// How a pass is made for threads that share it.
package struct PassSharing: Equatable, Sendable {
    /// Threads that there is room for.
    package let places: Int
    /// Threads that the last batch was cut for.
    package let threads: Int
    /// Which workspaces they take; nil where no pass is shared.
    package let workspaces: ObjectIdentifier?
}

extension Backpropagation {
    package var sharing: PassSharing {
        PassSharing(places: places, threads: parts.threads, workspaces: workspaces.map { ObjectIdentifier($0) })
    }
}
