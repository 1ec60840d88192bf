import Glibc
import Pipelines

/// Runs a command, on some of the cores where any are named, and prints a line with the most bytes that it had resident:
///
///     PeakOfRun 0,1 /path/to/program argument…
///     PeakOfRun "" /path/to/program argument…
///
/// The system's mark of a process begins with what its parent had resident when it made it. So the parent that has little is a
/// program of its own, not the tests.
@main enum PeakOfRun {
    static func main() {
        let words = CommandLine.arguments
        guard words.count > 2 else { fail("a list of cores and a program are wanted") }
        let cores = words[1].split(separator: ",").compactMap { Int($0) }
        guard cores.isEmpty || ProcessorCores.bind(to: cores) else { fail("the system refuses the cores \(words[1])") }
        let arguments = words.dropFirst(2).map { strdup($0) } + [nil]
        var identifier = pid_t()
        guard posix_spawn(&identifier, words[2], nil, nil, arguments, environ) == 0 else {
            fail("\(words[2]) cannot be run")
        }
        var (status, usage) = (Int32(-1), rusage())
        // Of this very process; what is counted for all children has what this one began with.
        guard wait4(identifier, &status, 0, &usage) == identifier, status == 0 else {
            fail("\(words[2]) ended with the system's status \(status)")
        }
        print("\n\(usage.ru_maxrss * 1024)")
    }

    private static func fail(_ reason: String) -> Never {
        let line = "PeakOfRun: \(reason)\n"
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        exit(EXIT_FAILURE)
    }
}
