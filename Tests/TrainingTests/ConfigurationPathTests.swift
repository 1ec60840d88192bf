import Foundation
import Testing

@testable import Training

@Suite struct ConfigurationPathTests {
    @Test func pathsInAFileAreRelativeToIt() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "deep/run.yaml")
            try FileManager.default.createDirectory(
                at: folder.appending(path: "deep"), withIntermediateDirectories: true)
            try Data("output: ../out\ntask: {training: a.jsonl, test: /b.jsonl}\nstudent: {model: ./m}\n".utf8).write(
                to: file)
            let configuration = try ConfigurationReader.read(file: file)
            let root = folder.standardizedFileURL.path
            #expect(configuration.output == root + "/out")
            #expect(configuration.task.training == root + "/deep/a.jsonl")
            #expect(configuration.task.test == "/b.jsonl")
            #expect(configuration.student.model == root + "/deep/m")
        }
    }

    /// As config.yaml in the run directory, which may be anywhere, they would mean something else.
    @Test func pathsInOverridesAreRelativeToTheWorkingDirectory() throws {
        let configuration = try ConfigurationReader.read(
            file: nil, overrides: ["student.model=../m", "task.training=a/b.jsonl", "output=/run"])
        let here = URL(filePath: FileManager.default.currentDirectoryPath, directoryHint: .isDirectory)
        #expect(configuration.student.model == here.deletingLastPathComponent().appending(path: "m").path)
        #expect(configuration.task.training == here.appending(path: "a/b.jsonl").path)
        #expect(configuration.output == "/run")
    }

    /// A folder of devices may hold files as well.
    @Test(.enabled(if: access("/dev/shm", W_OK) == 0, "needs a folder below /dev that can be written in"))
    func pathsInAFileBelowDevicesAreRelativeToItsFolder() throws {
        let file = URL(filePath: "/dev/shm/\(UUID().uuidString).yaml")
        try Data("output: out\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(try ConfigurationReader.read(file: file).output == "/dev/shm/out")
    }
}
