import Glibc

/// What Linux says of the process's mappings in /proc/self/smaps.
enum MappedFlags {
    /// Whether there are such flags, and large pages to be advised.
    static let areKnown =
        access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) == 0 && text().contains("VmFlags:")

    /// All of the file. Room is made before it is read: an allocation in the middle could change the mappings, and what changes is
    /// passed over.
    private static func text() -> Substring {
        var bytes = [UInt8](repeating: 0, count: 16 << 20)
        let file = open("/proc/self/smaps", O_RDONLY)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var count = 0
        bytes.withUnsafeMutableBytes { buffer in
            while count < buffer.count, let place = buffer.baseAddress {
                let more = read(file, place + count, buffer.count - count)
                guard more > 0 else { return }
                count += more
            }
        }
        return Substring(decoding: bytes.prefix(count), as: UTF8.self)
    }

    /// The flags of the mapping that holds the address, such as `hg` where large pages are advised; nil where nothing is mapped.
    static func of(_ address: UInt) -> Set<Substring>? {
        var isInside = false
        for line in text().split(separator: "\n") {
            if let range = range(line) {
                isInside = range.contains(address)
            } else if isInside, line.hasPrefix("VmFlags:") {
                return Set(line.split(separator: " ").dropFirst())
            }
        }
        return nil
    }

    /// The addresses at the start of a mapping's first line.
    private static func range(_ line: Substring) -> Range<UInt>? {
        let ends = line.prefix { $0 != " " }.split(separator: "-").map { UInt($0, radix: 16) }
        guard ends.count == 2, let start = ends[0], let end = ends[1], start < end else { return nil }
        return start..<end
    }
}
