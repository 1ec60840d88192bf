import Foundation
import Testing

/// Numbers that no machine has room for, or no integer holds.
@Suite struct SizeLimitTests {
    /// Sizes that no machine has are refused before any work, with what they would take.
    @Test(arguments: [
        ("bench rollout --batch 1048576", 64, "--batch is 1048576"),
        ("bench rollout --new 1048576 --threads 1024", 64, "--new is 1048576"),
        ("bench rollout --prompt 1048576 --threads 1024", 64, "--prompt is 1048576"),
        ("bench learner --length 1048576 --threads 1024", 64, "--length is 1048576"),
        ("bench learner --prompt 1048576 --threads 1024", 64, "--prompt is 1048576"),
        ("bench kernels --batch 64,1048576 --threads 1024", 64, "--batch is 1048576"),
        ("train --dry-run student.hiddenSize=1048572 student.layers=1000", 65, "student.hiddenSize: is 1048572"),
        ("train --dry-run evaluation.samples=16777216 task.testProblems=1000", 65, "evaluation.samples: is 16777216"),
    ])
    func whatCannotFitIsRefused(command: String, status: Int32, says: String) throws {
        let outcome = try CommandLineProcess.run(CommandLineProcess.words(command))
        expectRefusal(outcome, status: status, says: says)
    }

    private func expectRefusal(_ outcome: CommandLineProcess.Outcome, status: Int32, says: String) {
        #expect(outcome.status == status, "\(outcome.diagnostics)")
        #expect(outcome.output.isEmpty)
        #expect(outcome.diagnostics.contains(says), "\(outcome.diagnostics)")
        #expect(outcome.diagnostics.contains("the work would take about"))
        #expect(outcome.diagnostics.split(separator: "\n").count == 1)
    }

    /// What a limit of the address space leaves is not all for use: the allocator and the threads' stacks map more.
    @Test(arguments: [
        ("--samples 1048576 --max-new-tokens 24", "--samples is 1048576"),
        ("--samples 100000 --batch 100000 --max-new-tokens 8", "--batch is 100000"),
    ])
    func samplesBeyondTheAddressSpaceAreRefused(options: String, says: String) throws {
        let model = try ModelFixture()
        let script = "ulimit -v 500000; exec \"$0\" generate --threads 1 --model \"$1\" \(options)"
        let outcome = try CommandLineProcess.run(
            URL(fileURLWithPath: "/bin/sh"),
            ["-c", script, CommandLineProcess.executable.path, model.path])
        expectRefusal(outcome, status: 64, says: says)
    }

    /// The system's libraries would trap.
    @Test(arguments: ["info", "train --dry-run", "generate --model nowhere"])
    func tooFewOpenFilesAreTold(command: String) throws {
        let outcome = try CommandLineProcess.run(
            URL(fileURLWithPath: "/bin/sh"),
            ["-c", "ulimit -n 5; exec \"$0\" \(command)", CommandLineProcess.executable.path])
        #expect(outcome.status == 70)
        #expect(outcome.diagnostics == "rlkd: at most 5 files may be open; raise the limit to 16 or more (ulimit -n)\n")
    }

    /// A small limit stands in for a small machine.
    @Test func theLimitOfTheProcessCounts() throws {
        let script = "ulimit -v 6000000; exec \"$0\" bench rollout --batch 4096 --new 200 --prompt 16 --threads 1"
        let outcome = try CommandLineProcess.run(
            URL(fileURLWithPath: "/bin/sh"), ["-c", script, CommandLineProcess.executable.path])
        #expect(outcome.status == 64)
        #expect(outcome.diagnostics.contains("--batch is 4096"), "\(outcome.diagnostics)")
    }

    /// Integers at the ends of their range trap nowhere.
    @Test(
        arguments: [
            ("bench rollout", ["--batch", "--prompt", "--new", "--group", "--threads"]),
            ("bench learner", ["--batch", "--prompt", "--length", "--threads"]),
            ("bench kernels", ["--batch", "--threads"]),
            ("generate --model MODEL", ["--samples", "--batch", "--max-new-tokens", "--threads"]),
            ("logprobs --model MODEL --tokens ROWS", ["--threads"]),
            ("eval --model MODEL", ["--samples", "--threads"]),
            ("tokenize --tokenizer MODEL", ["--threads"]), ("score --input ROWS", ["--threads"]),
            ("decompose --input ROWS", ["--threads"]), ("info", ["--threads"]),
        ])
    func integersOutOfRangeAreNamed(command: String, options: [String]) throws {
        for option in options {
            for value in [
                "9223372036854775807", "-9223372036854775808", "-1", "1000000000000", "10000000000000000000000",
            ] {
                let outcome = try CommandLineProcess.run(
                    CommandLineProcess.words(command) + ["\(option)=\(value)"])
                #expect(outcome.status == 64, "\(option) \(value): \(outcome.diagnostics)")
                #expect(outcome.diagnostics.contains(option))
            }
        }
        if command == "bench rollout" {
            let outcome = try CommandLineProcess.run(CommandLineProcess.words("bench rollout --batch 4 --group 5"))
            #expect(outcome.status == 64 && outcome.diagnostics.contains("--group"))
        }
    }
}
