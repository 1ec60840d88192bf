import ArgumentParser
import Foundation
import Kernels
import Memory
import Pipelines
import Training

struct InfoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "CPU, kernel variant, jemalloc, threads.",
        discussion: "\(InstructionSet.environmentName)=NAME in the environment chooses another kernel variant.")

    @Flag(help: "As JSON.")
    var json = false

    @OptionGroup var compute: ComputeOptions

    func run() async throws {
        try await Failure.reporting {
            let information = try MachineInformation(threads: compute.threadCount)
            if json {
                try StandardOutput.write(JSONLine.encodeIndented(information))
            } else {
                try StandardOutput.write(line: information.text)
            }
        }
    }
}

/// What `rlkd info` says.
struct MachineInformation: Encodable {
    struct Kernels: Encodable {
        /// Weakest first.
        var supported: [String]
        var chosen: String
    }

    struct Allocation: Encodable {
        var name = "jemalloc"
        /// Proved by an allocation that moved jemalloc's counter.
        var isProcessAllocator: Bool
        var statistics: AllocatorStatistics
    }

    var processor: String
    /// Cores that the process may use, of those that are online.
    var cores: Int
    var coresOnline: Int
    var threads: Int
    var kernels: Kernels
    var allocator: Allocation

    /// - Throws: `InstructionSetError`, `AllocatorError`.
    init(threads: Int) throws {
        processor = ProcessorName.current
        cores = ProcessorCores.available.count
        coresOnline = ProcessInfo.processInfo.activeProcessorCount
        self.threads = threads
        kernels = Kernels(
            supported: InstructionSet.supported.map(\.rawValue), chosen: try InstructionSet.selected.get().rawValue)
        allocator = Allocation(
            isProcessAllocator: Allocator.isProcessAllocator, statistics: try Allocator.statistics())
    }

    var text: String {
        let statistics = allocator.statistics
        let proof = allocator.isProcessAllocator ? "yes, proved by its counters" : "no"
        return TextTable.layOut([
            ["processor", processor],
            ["cores", "\(cores) usable of \(coresOnline) online"],
            ["threads", "\(threads)"],
            ["kernels", "\(kernels.chosen), of \(kernels.supported.joined(separator: ", "))"],
            ["allocator", "\(allocator.name) \(statistics.version)"],
            ["serves malloc", proof],
            ["arenas", "\(statistics.arenas)"],
            ["bytes", "\(statistics.allocatedBytes) allocated, \(statistics.residentBytes) resident"],
        ])
    }
}
