import Foundation
import Testing

@testable import Files

@Suite struct InputBytesTests {
    private func read(_ data: Data, limit: Int = .max, available: Int = .max) throws -> Data {
        let pipe = Pipe()
        // Small enough for the pipe's buffer: nobody has to write meanwhile.
        try pipe.fileHandleForWriting.write(contentsOf: data)
        try pipe.fileHandleForWriting.close()
        return try InputBytes.read(pipe.fileHandleForReading, name: "input", limit: limit, available: available)
    }

    @Test func readsToTheEnd() throws {
        let data = Data((0..<5000).map { UInt8(truncatingIfNeeded: $0) })
        #expect(try read(data, available: 1 << 20) == data)
        #expect(try read(Data(), available: 8) == Data())
    }

    @Test func whatMemoryCannotHoldIsRefused() {
        let error = #expect(throws: FileError.self) { try read(Data(count: 1001), available: 8000) }
        #expect(error?.file == "input")
        #expect(
            error?.reason.hasPrefix("is too large: it gives more than 1000 bytes, the most that is read; ") == true)
        #expect(error?.reason.contains("of which 8000 bytes are there") == true)
    }

    @Test func theBoundIsHeldExactly() throws {
        #expect(try read(Data(count: 1000), available: 8000).count == 1000)
        #expect(try read(Data(count: 1000), limit: 1000).count == 1000)
        let error = #expect(throws: FileError.self) { try read(Data(count: 1001), limit: 1000) }
        #expect(
            error?.reason
                == "is too large: it gives more than 1000 bytes, the most that is read; no more can be right")
    }

    /// By its size, before it is read.
    @Test func aFileThatIsTooLargeIsToldByItsSize() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data(count: 1001).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let error = #expect(throws: FileError.self) { try InputBytes.read(path: file.path, limit: 1000) }
        #expect(
            error?.description
                == "\(file.path): is too large: it has 1001 bytes, and at most 1000 are read; no more can be right")
        #expect(try InputBytes.read(path: file.path, limit: 1001).count == 1001)
    }

    /// Nothing of it is kept, however much memory there is.
    @Test(arguments: ["/dev/zero", "/dev/urandom", "/dev/full"]) func anEndlessDeviceIsRefused(path: String) throws {
        let device = try #require(FileHandle(forReadingAtPath: path))
        let error = #expect(throws: FileError.self) {
            try InputBytes.read(device, name: "input", available: .max)
        }
        #expect(error?.description == "input: is a device: it must be a file, a pipe or a terminal")
    }

    @Test func anEmptyDeviceIsRead() throws {
        #expect(try InputBytes.read(path: "/dev/null") == Data())
    }

    @Test(arguments: [
        ("/nowhere/rows.jsonl", "cannot be read: No such file or directory"), ("/tmp", "is a directory, not a file"),
    ])
    func whatCannotBeReadIsNamed(path: String, reason: String) {
        let error = #expect(throws: FileError.self) { try InputBytes.read(path: path) }
        #expect(error == FileError(file: path, reason: reason))
    }
}
