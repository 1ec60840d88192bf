import Foundation
import Testing

@testable import Files

/// Files written piece by piece.
@Suite struct StreamedFileTests {
    private struct Refusal: Error {}

    private func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private func names(in folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
    }

    /// Shorter than a piece, and several long, of texts that no piece ends with.
    @Test(arguments: [0, 1, 700, 100_000])
    func allOfTheTextArrives(count: Int) throws {
        try inFolder { folder in
            let url = folder.appending(path: "events.json")
            try Data("before".utf8).write(to: url)
            let events = (0..<count).map { "{\"event\":\($0),\"name\":\"à\"}\n" }
            try StreamedFile.write(inPlaceOf: url) { file in
                for event in events { try file.write(event) }
                // Until all is written what stood there stays.
                #expect(try Data(contentsOf: url) == Data("before".utf8))
            }
            #expect(try Data(contentsOf: url) == Data(events.joined().utf8))
            #expect(try names(in: folder) == ["events.json"])
        }
    }

    /// Bytes beside text, fewer and more than are put together, in the order in which they are written.
    @Test(arguments: [false, true])
    func bytesKeepTheirPlaces(flushing: Bool) throws {
        try inFolder { folder in
            let url = folder.appending(path: "weights")
            var expected: [UInt8] = []
            try StreamedFile.write(inPlaceOf: url, flushing: flushing) { file in
                for count in [1, 0, 65_535, 65_536, 3, 65_537, 7, 200_000, 40_000, 40_000] {
                    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ count) }
                    try bytes.withUnsafeBytes { try file.write($0) }
                    try file.write("à")
                    expected += bytes + "à".utf8
                }
            }
            #expect(try Data(contentsOf: url) == Data(expected))
            #expect(try names(in: folder) == ["weights"])
        }
    }

    /// As any file that the process makes.
    @Test func othersMayReadItWhereTheMaskLetsThem() throws {
        try inFolder { folder in
            let places = ["streamed", "usual"].map { folder.appending(path: $0) }
            try StreamedFile.write(inPlaceOf: places[0]) { try $0.write("text") }
            let descriptor = open(places[1].path, O_WRONLY | O_CREAT | O_EXCL, 0o666)
            try #require(descriptor >= 0)
            close(descriptor)
            let modes = try places.map {
                try FileManager.default.attributesOfItem(atPath: $0.path)[.posixPermissions] as? Int
            }
            #expect(modes[0] != nil && modes[0] == modes[1])
        }
    }

    @Test func whatStoodThereStaysWhereWritingFails() throws {
        try inFolder { folder in
            let url = folder.appending(path: "events.json")
            try Data("before".utf8).write(to: url)
            #expect(throws: Refusal.self) {
                try StreamedFile.write(inPlaceOf: url) { file in
                    try file.write(String(repeating: "x", count: 200_000))
                    throw Refusal()
                }
            }
            // Nor does its descriptor stay open.
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
            }
            #expect(open.filter { $0.contains(folder.lastPathComponent) } == [])
            #expect(try Data(contentsOf: url) == Data("before".utf8))
            #expect(try names(in: folder) == ["events.json"])
        }
    }

    @Test func errorsNameTheFile() throws {
        try inFolder { folder in
            // A folder stands in its place; its own does not exist.
            let taken = folder.appending(path: "taken")
            try FileManager.default.createDirectory(at: taken, withIntermediateDirectories: true)
            for url in [taken, folder.appending(path: "absent/events.json")] {
                let error = #expect(throws: FileError.self) {
                    try StreamedFile.write(inPlaceOf: url) { try $0.write("text") }
                }
                #expect(error.map { "\($0)".contains(url.path) } == true)
            }
            #expect(try names(in: folder) == ["taken"])
        }
    }

    /// Its own names alone, so that nothing of anybody else's is swept away.
    @Test func itKnowsItsNames() throws {
        try inFolder { folder in
            try StreamedFile.write(inPlaceOf: folder.appending(path: "trace.json")) { _ in
                let written = try names(in: folder)
                #expect(written.count == 1 && written.allSatisfy(StreamedFile.isPartial))
            }
        }
        let unique = "3F2504E0-4F89-41D3-9A0C-0305E82C3301"
        #expect(StreamedFile.isPartial(".trace.json.\(unique).partial"))
        for name in [
            ".partial", ".trace.json.partial", "trace.json", ".rsync-partial", "..partial", ".step-3.partial",
            "trace.json.\(unique).partial", ".trace.json.\(unique).removed", ".trace.json.\(unique)",
        ] {
            #expect(!StreamedFile.isPartial(name), "\(name)")
        }
    }
}
