import Foundation
import Glibc
import Testing

extension CommandLineProcess {
    /// The most bytes that a run had resident, by the mark that the system gives when the run has ended; nil where there is none.
    ///
    /// The mark begins with what the parent had resident when it made the process. So a process that has done nothing else is the
    /// parent, and a mark that could be its own is none.
    static func peak(_ arguments: [String]) async -> Double? {
        let parent = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            [arguments = arguments as [String]] in
            func copies(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] { texts.map { strdup($0) } + [nil] }
            let environment = ProcessInfo.processInfo.environment.map { "\($0)=\($1)" }
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
                posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
            }
            var identifier = pid_t()
            try #require(
                posix_spawn(
                    &identifier, CommandLineProcess.executable.path, &actions, nil,
                    copies([CommandLineProcess.executable.path] + arguments),
                    copies(environment)) == 0)
            // Not what the system counts for this process itself, which begins with what the tests have resident.
            let own = try String(contentsOfFile: "/proc/self/status", encoding: .utf8).split(separator: "\n")
                .first { $0.hasPrefix("VmHWM:") }?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
            var (status, usage) = (Int32(-1), rusage())
            try #require(wait4(identifier, &status, 0, &usage) == identifier)
            #expect(status == 0)
            #expect(try usage.ru_maxrss > #require(own))
            print("\npeak \(usage.ru_maxrss)")
        }
        let said = String(decoding: parent?.standardOutputContent ?? [], as: UTF8.self)
        let mark = said.split(separator: "\n").last { $0.hasPrefix("peak ") }
        return mark.flatMap { Double($0.dropFirst("peak ".count)) }.map { $0 * 1024 }
    }
}
