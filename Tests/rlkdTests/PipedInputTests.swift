import Foundation
import Testing

/// Input that is no file.
@Suite struct PipedInputTests {
    /// Pipes are read wherever a file is: a named one, standard input, and one that the shell makes.
    @Test(arguments: [
        "cat ROWS > FIFO & \"$0\" COMMAND FIFO; status=$?; kill $!; exit $status",
        "cat ROWS | \"$0\" COMMAND /dev/stdin", "\"$0\" COMMAND /dev/stdin < ROWS",
        "\"$0\" COMMAND <(cat ROWS)",
    ])
    func pipesAreRead(script: String) throws {
        let folder = try TemporaryFolder()
        for (command, text, says) in [
            ("decompose --input", "{\"id\": 7, \"text\": \"1 + 1 = 2\"}\n", "\"id\":7"),
            ("train --dry-run", "seed: 41\nstudent:\n  layers: 3\n", "\n  layers: 3\n"),
            ("train --dry-run", "seed: 41\nstudent:\n  layers: -3\n", ":3: student.layers: is -3"),
        ] {
            let rows = try folder.write(text, to: "rows")
            let fifo = folder.url.appending(path: UUID().uuidString).path
            try #require(mkfifo(fifo, 0o600) == 0)
            let filled = [("COMMAND", command), ("FIFO", "'\(fifo)'"), ("ROWS", "'\(rows)'")]
                .reduce(script) { $0.replacing($1.0, with: $1.1) }
            let outcome = try CommandLineProcess.run(
                URL(fileURLWithPath: "/bin/bash"), ["-c", filled, CommandLineProcess.executable.path])
            #expect((outcome.text + outcome.diagnostics).contains(says), "\(command): \(outcome.diagnostics)")
            #expect(outcome.status == (says.hasPrefix(":") ? 65 : 0))
        }
    }

    /// What is typed is no file's: paths in it are relative to where the command runs.
    @Test func pathsFromStandardInputAreRelativeToTheWorkingDirectory() throws {
        let folder = try TemporaryFolder()
        let pipe = folder.url.appending(path: "elsewhere/pipe")
        try FileManager.default.createDirectory(
            at: pipe.deletingLastPathComponent(), withIntermediateDirectories: true)
        try #require(mkfifo(pipe.path, 0o600) == 0)
        for typed in [
            "echo 'output: here' | \"$0\" train /dev/stdin --dry-run",
            "echo 'output: here' > elsewhere/pipe & \"$0\" train elsewhere/pipe --dry-run",
        ] {
            let outcome = try CommandLineProcess.run(
                URL(fileURLWithPath: "/bin/bash"),
                ["-c", "cd '\(folder.url.path)'; " + typed, CommandLineProcess.executable.path])
            #expect(outcome.status == 0, "\(outcome.diagnostics)")
            let output = outcome.text.split(separator: "\n").first { $0.hasPrefix("output: ") }
            #expect(output?.hasSuffix("\(folder.url.lastPathComponent)/here") == true, "\(output ?? "")")
        }
    }
}
