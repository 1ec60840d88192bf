import Glibc

/// The cores that this process may run on.
public enum ProcessorCores {
    /// The system's numbers of the cores that the process's first thread may use, ascending; never empty.
    ///
    /// Not those of the present thread: threads inherit the binding of the thread that made them, so that one of the cooperative
    /// pool, made on behalf of a pinned thread, is bound to that thread's core.
    public static var available: [Int] {
        cores(ofThread: getpid())
    }

    /// How many of so many threads can run at once. What more of them than cores would share out takes their memory and gains nothing.
    public static func running(_ threads: Int) -> Int { min(threads, available.count) }

    private static func cores(ofThread thread: pid_t) -> [Int] {
        var mask = CoreMask()
        guard let getAffinity = ThreadCalls.getAffinity, getAffinity(thread, CoreMask.bytes, &mask.words) == 0 else {
            return Array(0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        }
        let cores = mask.cores
        return cores.isEmpty ? [0] : cores
    }

    /// Binds the present thread to these cores, whatever it inherited; false where the system does not allow it.
    @discardableResult
    package static func bind(to cores: [Int]) -> Bool {
        var mask = CoreMask()
        guard let setAffinity = ThreadCalls.setAffinity, cores.allSatisfy({ mask.insert($0) }) else { return false }
        return setAffinity(0, CoreMask.bytes, &mask.words) == 0
    }
}

/// A set of cores as the kernel has it: bit n of word n / 64. Room for 4096.
private struct CoreMask {
    static let wordCount = 64
    static let bytes = wordCount * MemoryLayout<UInt>.size

    var words = [UInt](repeating: 0, count: wordCount)

    var cores: [Int] {
        (0..<Self.wordCount * UInt.bitWidth).filter {
            words[$0 / UInt.bitWidth] & (1 << UInt($0 % UInt.bitWidth)) != 0
        }
    }

    mutating func insert(_ core: Int) -> Bool {
        guard core >= 0, core < Self.wordCount * UInt.bitWidth else { return false }
        words[core / UInt.bitWidth] |= 1 << UInt(core % UInt.bitWidth)
        return true
    }
}

/// GNU calls that Swift's C library module leaves out, looked up by name; nil where the system has none.
enum ThreadCalls {
    typealias Affinity = @convention(c) (pid_t, Int, UnsafeMutablePointer<UInt>?) -> Int32
    typealias SetName = @convention(c) (pthread_t, UnsafePointer<CChar>) -> Int32

    static let getAffinity = find("sched_getaffinity", as: Affinity.self)
    static let setAffinity = find("sched_setaffinity", as: Affinity.self)
    static let setName = find("pthread_setname_np", as: SetName.self)

    private static func find<Call>(_ name: String, as type: Call.Type) -> Call? {
        // The nil handle searches the program and everything that it is linked to.
        guard let symbol = dlsym(nil, name) else { return nil }
        // Each type above is the one that the system documents for the name; symbol and function pointer are one address.
        return unsafeBitCast(symbol, to: type)
    }
}
