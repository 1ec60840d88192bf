import Foundation

/// The built command, run as a user does.
enum CommandLineProcess {
    struct Outcome {
        var status: Int32
        var output: Data
        var diagnostics: String

        var text: String { String(decoding: output, as: UTF8.self) }

        /// One decoded value a line.
        func rows<Row: Decodable>(_ type: Row.Type) throws -> [Row] {
            try text.split(separator: "\n").map { try JSONDecoder().decode(type, from: Data($0.utf8)) }
        }
    }

    /// Beside the test bundle, where the build puts both.
    static let executable: URL = {
        let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return bundle.deletingLastPathComponent().appending(path: "rlkd")
    }()

    /// The arguments of a command line without quotes.
    static func words(_ command: String) -> [String] { command.split(separator: " ").map(String.init) }

    static func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:]
    ) throws -> Outcome {
        try run(executable, arguments, input: Data(input.utf8), environment: environment)
    }

    static func run(
        _ executable: URL, _ arguments: [String], input: Data = Data(), environment: [String: String] = [:]
    ) throws -> Outcome {
        // Files, not pipes: no reader has to keep up.
        let folder = try TemporaryFolder()
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: folder.write(input, to: "input"))
        process.standardOutput = try FileHandle(forWritingTo: folder.write(Data(), to: "output"))
        process.standardError = try FileHandle(forWritingTo: folder.write(Data(), to: "diagnostics"))
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: try Data(contentsOf: folder.url.appending(path: "output")),
            diagnostics: try String(contentsOf: folder.url.appending(path: "diagnostics"), encoding: .utf8))
    }
}

/// A folder that goes with its owner.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "rlkd-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func write(_ data: Data, to name: String) throws -> URL {
        let file = url.appending(path: name)
        try data.write(to: file)
        return file
    }

    /// - Returns: the file's path.
    func write(_ text: String, to name: String) throws -> String {
        try write(Data(text.utf8), to: name).path
    }
}
