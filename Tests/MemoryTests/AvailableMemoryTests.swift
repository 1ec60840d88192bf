import Foundation
import Testing

@testable import Memory

@Suite struct AvailableMemoryTests {
    @Test func isLessThanTheMachineHas() {
        #expect(AvailableMemory.bytes > 0)
        #expect(AvailableMemory.bytes <= Int(ProcessInfo.processInfo.physicalMemory))
    }

    @Test func addressesAreNotAllForUse() {
        #expect(AvailableMemory.usable(ofAddressSpace: 0) == 0)
        #expect(AvailableMemory.usable(ofAddressSpace: 64 << 20) == 0)
        #expect(AvailableMemory.usable(ofAddressSpace: 464 << 20) == 300 << 20)
        #expect(AvailableMemory.usable(ofAddressSpace: .max) < .max)
        #expect(AvailableMemory.bytesToStart >= AvailableMemory.bytes)
    }

    @Test func fieldsAreInKibibytes() {
        let text = "MemTotal:       24 kB\nMemAvailable:   3 kB\nBuffers: x kB\nSwap: 9223372036854775807 kB\n"
        #expect(AvailableMemory.kibibytes(of: "MemAvailable", in: text) == 3072)
        #expect(AvailableMemory.kibibytes(of: "Mem", in: text) == nil)
        #expect(AvailableMemory.kibibytes(of: "Buffers", in: text) == nil)
        #expect(AvailableMemory.kibibytes(of: "Swap", in: text) == nil)
        #expect(AvailableMemory.kibibytes(of: "MemAvailable", in: "") == nil)
    }

    @Test func groupsAndThoseAboveThemAreLookedAt() {
        #expect(
            AvailableMemory.folders("0::/a/b\n") == ["/sys/fs/cgroup", "/sys/fs/cgroup/a", "/sys/fs/cgroup/a/b"])
        #expect(
            AvailableMemory.folders("7:cpu:/x\n4:hugetlb,memory:/y\n") == [
                "/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/y",
            ])
        #expect(AvailableMemory.folders("nonsense\n") == [])
    }

    @Test func cachedFilesCountAsFree() {
        let statistics = "anon 5\ninactive_file 30\n"
        #expect(AvailableMemory.left(limit: "100\n", usage: "80\n", statistics: statistics) == 50)
        #expect(AvailableMemory.left(limit: "100", usage: "180", statistics: nil) == 0)
        #expect(AvailableMemory.left(limit: "max\n", usage: "80", statistics: statistics) == nil)
        #expect(AvailableMemory.left(limit: nil, usage: "80", statistics: statistics) == nil)
    }
}
