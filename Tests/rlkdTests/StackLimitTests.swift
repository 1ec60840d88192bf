import Foundation
import Kernels
import Testing

/// Threads that compute have stacks of their own size, whatever the shell allows a process's first thread.
@Suite(.timeLimit(.minutes(30))) struct StackLimitTests {
    /// Some variants' products of bfloat16 take 256 KiB of the stack in one frame.
    @Test(arguments: InstructionSet.supported) func productsHaveRoomUnderASmallLimit(variant: InstructionSet) throws {
        let model = try ModelFixture()
        let tokens = (0..<48).map { 2 + $0 % 8 }
        let prompts = try model.folder.write("{\"id\": 0, \"tokens\": \(tokens)}", to: "prompts.jsonl")
        let arguments = [
            "generate", "--model", model.path, "--prompts", prompts, "--max-new-tokens", "8", "--dtype", "bf16",
            "--threads", "2",
        ]
        let environment = [InstructionSet.environmentName: variant.rawValue]
        let usual = try CommandLineProcess.run(arguments, environment: environment)
        let limited = try CommandLineProcess.run(
            URL(filePath: "/bin/sh"),
            ["-c", "ulimit -s 256; exec \"$0\" \"$@\"", CommandLineProcess.executable.path] + arguments,
            environment: environment)
        #expect(usual.status == 0 && !usual.output.isEmpty)
        #expect(limited.status == 0)
        #expect(limited.output == usual.output)
    }
}
