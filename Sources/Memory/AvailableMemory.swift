import Foundation

/// How much memory the process may still take.
public enum AvailableMemory {
    /// Bytes to work with: the least of what the system can give without swapping, what the limits of the process's control groups
    /// leave, and what can be used of what the limit on its address space leaves.
    public static var bytes: Int {
        [system, controlGroups, addressSpace.map { usable(ofAddressSpace: $0) }].compactMap { $0 }.min() ?? .max
    }

    /// The same with all that the limit on the address space leaves.
    public static var bytesToStart: Int {
        [system, controlGroups, addressSpace].compactMap { $0 }.min() ?? .max
    }

    /// Addresses that stacks of a few threads take, of which there are not all yet.
    private static let stacks = 64 << 20

    /// What can be used of addresses that are left: beside stacks, the allocator maps about a third more than it gives out. Measured
    /// as both peaks of runs that take 100 MiB to 1.6 GiB.
    static func usable(ofAddressSpace left: Int) -> Int { max(0, left - stacks) / 4 * 3 }

    private static var system: Int? {
        text("/proc/meminfo").flatMap { kibibytes(of: "MemAvailable", in: $0) }
            ?? Int(
                exactly: ProcessInfo.processInfo.physicalMemory)
    }

    /// The limit of the process's address space (`ulimit -v`), less what is mapped already.
    private static var addressSpace: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
            let allowed = Int(exactly: limit.rlim_cur),
            let mapped = text("/proc/self/statm").flatMap({ $0.split(separator: " ").first }).flatMap({ Int($0) })
        else { return nil }
        return max(0, allowed - mapped * Int(sysconf(Int32(_SC_PAGESIZE))))
    }

    /// The tightest of the process's control group and those above it.
    private static var controlGroups: Int? {
        guard let groups = text("/proc/self/cgroup") else { return nil }
        return folders(groups).compactMap { folder in
            left(
                limit: text(folder + "/memory.max") ?? text(folder + "/memory.limit_in_bytes"),
                usage: text(folder + "/memory.current") ?? text(folder + "/memory.usage_in_bytes"),
                statistics: text(folder + "/memory.stat"))
        }.min()
    }

    private static func text(_ path: String) -> String? {
        try? String(contentsOfFile: path, encoding: .utf8)
    }

    /// Bytes of a line such as `MemAvailable:   23456 kB`.
    static func kibibytes(of name: String, in text: String) -> Int? {
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        guard let fields = line?.split(separator: " "), fields.count > 1, let count = Int(fields[1]) else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: 1024)
        return overflow ? nil : bytes
    }

    /// Where the limits of the groups stand that `/proc/self/cgroup` names: of the memory controller of version 1, or of
    /// version 2, each group with those above it.
    static func folders(_ groups: String) -> [String] {
        groups.split(separator: "\n").flatMap { line -> [String] in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            let root: String
            if fields[1].isEmpty {
                root = "/sys/fs/cgroup"
            } else if fields[1].split(separator: ",").contains("memory") {
                root = "/sys/fs/cgroup/memory"
            } else {
                return []
            }
            let names = fields[2].split(separator: "/").map(String.init)
            return (0...names.count).map { depth in ([root] + names.prefix(depth)).joined(separator: "/") }
        }
    }

    /// What a limit leaves; pages of files that the group does not use go first and count as free. Nil without a limit.
    static func left(limit: String?, usage: String?, statistics: String?) -> Int? {
        func number(_ text: String?) -> Int? {
            text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        guard let limit = number(limit), let usage = number(usage) else { return nil }
        let cached = statistics?.split(separator: "\n").first { $0.hasPrefix("inactive_file ") }?.split(separator: " ")
            .last
        return max(0, limit - max(0, usage - (cached.flatMap { Int($0) } ?? 0)))
    }
}
