import Files
import Foundation
import Testing

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
        for name in [".partial", ".trace.json.partial", "trace.json", ".rsync-partial", "..partial", ".step-3.partial"]
        {
            #expect(!StreamedFile.isPartial(name), "\(name)")
        }
    }
}
