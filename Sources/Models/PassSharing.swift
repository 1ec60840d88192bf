/// How a pass is made for threads that share it.
package struct PassSharing: Sendable {
    /// Threads that the last batch was cut for.
    package let threads: Int
    /// Which they are lent theirs from.
    package let workspaces: PassWorkspaces
}

extension Backpropagation {
    package var sharing: PassSharing { PassSharing(threads: parts.threads, workspaces: workspaces) }
}
