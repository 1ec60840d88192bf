import Files
import Foundation
import Testing

@testable import rlkd

/// Errors are one line and one status, whatever became of the place that they are told to.
@Suite struct DiagnosticsTests {
    @Test(arguments: ["2>&-", "2>/dev/full", "2>&1 | true; exit ${PIPESTATUS[0]}"])
    func theStatusIsTheErrorsWhereNobodyReads(redirection: String) throws {
        for (arguments, status) in [("decompose --input /none", 65), ("score --nonsense", 64)] {
            let outcome = try CommandLineProcess.run(
                URL(filePath: "/bin/bash"),
                ["-c", "'\(CommandLineProcess.executable.path)' \(arguments) \(redirection)"])
            #expect(outcome.status == status)
        }
    }

    @Test func aClosedPipeDoesNotTrap() throws {
        let pipe = Pipe()
        try pipe.fileHandleForReading.close()
        let previous = signal(SIGPIPE, SIG_IGN)
        defer { signal(SIGPIPE, previous) }
        StandardError.write("text", to: pipe.fileHandleForWriting.fileDescriptor)
        StandardError.write("text", to: -1)
    }

    @Test func trainingSaysThatItsOutputWasLost() throws {
        for redirection in [">/dev/full", ">&-"] {
            let outcome = try CommandLineProcess.run(
                URL(filePath: "/bin/bash"),
                ["-c", "'\(CommandLineProcess.executable.path)' train --dry-run \(redirection)"])
            #expect(outcome.status == 70)
            #expect(outcome.diagnostics.contains("standard output cannot be written"))
        }
    }

    @Test(arguments: ["--help", "--version", "generate --help", "help bench"])
    func helpIsAResultLikeOthers(arguments: String) throws {
        func run(_ redirection: String) throws -> CommandLineProcess.Outcome {
            try CommandLineProcess.run(
                URL(filePath: "/bin/bash"),
                ["-c", "'\(CommandLineProcess.executable.path)' \(arguments) \(redirection)"])
        }
        let lost = try run(">/dev/full")
        #expect(lost.status == 70)
        #expect(lost.diagnostics == "rlkd: standard output cannot be written: No space left on device\n")
        let written = try run("")
        #expect(written.status == 0 && written.diagnostics.isEmpty && !written.output.isEmpty)
        // Whatever the environment asks for.
        let other = try CommandLineProcess.run(
            URL(filePath: "/bin/bash"),
            ["-c", "RLKD_ISA=abacus '\(CommandLineProcess.executable.path)' \(arguments)"])
        #expect(other.status == 0 && other.output == written.output)
    }

    @Test func whatAnErrorNamesIsEscapedAndCut() throws {
        let outcome = try CommandLineProcess.run(["decompose", "--input", "/none/a\nb\u{1b}[2J\r\u{202e}é"])
        #expect(outcome.status == 65)
        #expect(outcome.diagnostics.hasPrefix("rlkd: /none/a\\nb\\u{1b}[2J\\r\\u{202e}é: "))
        #expect(outcome.diagnostics.filter(\.isNewline) == "\n")
        #expect(ErrorLine.format("plain “text” \0") == "plain “text” \\u{0}")
        for count in [998, 1500, 100_000] {
            let line = ErrorLine.format("start " + String(repeating: "\n", count: count) + " end")
            #expect(line.count == ErrorLine.limit)
            #expect(line.hasPrefix("start \\n") && line.hasSuffix("\\n end"))
        }
    }

    private static let rows = "{\"id\": 1, \"teacher\": \"1 + 1 = 2\", \"student\": \"1 + 1 = 2\"}"

    @Test func aReportTakesNothingsPlaceButAFiles() throws {
        let folder = try TemporaryFolder()
        let input = try folder.write(Self.rows, to: "rows.jsonl")
        let manager = FileManager.default
        func path(_ name: String) -> String { folder.url.appending(path: name).path }
        func score(_ report: String) throws -> CommandLineProcess.Outcome {
            try CommandLineProcess.run(["score", "--input", input, "--report", report])
        }
        try manager.createSymbolicLink(atPath: path("same"), withDestinationPath: input)
        try manager.linkItem(atPath: input, toPath: path("hard"))
        try manager.createSymbolicLink(atPath: path("loop"), withDestinationPath: path("loop"))
        for (report, status) in [
            ("", 64), (folder.url.path, 65), (input, 65), (path("same"), 65), (path("hard"), 65), (path("loop"), 65),
            ("/dev/full", 70), ("/dev/null", 0),
        ] as [(String, Int32)] {
            let outcome = try score(report)
            #expect(outcome.status == status, "\(report)")
            if status == 64 || status == 65 { #expect(outcome.output.isEmpty, "before the work: \(report)") }
        }
        #expect(try String(contentsOfFile: input, encoding: .utf8) == Self.rows)
        try manager.createSymbolicLink(atPath: path("link"), withDestinationPath: path("target"))
        for _ in 0..<2 {
            #expect(try score(path("link")).status == 0)
            #expect(try manager.destinationOfSymbolicLink(atPath: path("link")) == path("target"))
            #expect(try String(contentsOfFile: path("target"), encoding: .utf8).contains("models"))
        }
    }
}
