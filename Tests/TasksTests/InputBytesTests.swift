import Foundation
import Testing

@testable import Tasks

@Suite struct InputBytesTests {
    private func read(_ data: Data, available: Int) throws -> Data {
        let pipe = Pipe()
        // Small enough for the pipe's buffer: nobody has to write meanwhile.
        try pipe.fileHandleForWriting.write(contentsOf: data)
        try pipe.fileHandleForWriting.close()
        return try InputBytes.read(pipe.fileHandleForReading, name: "input", available: available)
    }

    @Test func readsToTheEnd() throws {
        let data = Data((0..<5000).map { UInt8(truncatingIfNeeded: $0) })
        #expect(try read(data, available: 1 << 20) == data)
        #expect(try read(Data(), available: 8) == Data())
    }

    @Test func whatMemoryCannotHoldIsRefused() {
        let error = #expect(throws: MalformedInput.self) { try read(Data(count: 1001), available: 8000) }
        #expect(error?.file == "input")
        #expect(error?.problem.contains("is too large") == true)
    }

    @Test func anEndlessDeviceIsRefused() throws {
        let device = try #require(FileHandle(forReadingAtPath: "/dev/zero"))
        #expect(throws: MalformedInput.self) {
            try InputBytes.read(device, name: "/dev/zero", available: 64 << 20)
        }
    }

    @Test(arguments: ["/nowhere/rows.jsonl", "/tmp"]) func whatCannotBeReadIsNamed(path: String) {
        let error = #expect(throws: MalformedInput.self) { try InputBytes.read(path: path) }
        #expect(error?.description.hasPrefix(path + ": cannot be read") == true)
    }
}
