import Files
import Foundation

extension RunDirectory {
    /// Names of what was being written when a run was killed: checkpoints and streamed files before they are renamed, and the files
    /// that Foundation writes beside their place.
    static func isLeftover(_ name: String) -> Bool {
        name.hasPrefix(".dat.nosync") || (name.hasPrefix(".step-") && name.hasSuffix(".partial"))
            || StreamedFile.isPartial(name)
    }

    /// - Throws: `ConfigurationError` where no run has begun.
    func requireBegun() throws {
        guard FileManager.default.fileExists(atPath: configuration.path) else {
            throw ConfigurationError(
                source: url.path, key: "output",
                reason: "holds no config.yaml: no run has begun there; start it without --resume")
        }
        do throws(FileError) {
            // A pipe would be waited for, and runs write none.
            try InputFile.withDescriptor(of: configuration) { _, _ in }
        } catch {
            throw ConfigurationError(source: error.file, key: "", reason: error.reason)
        }
    }

    /// - Throws: `ConfigurationError` where a folder stands in the place of a file that is written at the end.
    func requirePlace() throws {
        for file in [trace, summary] {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder), isFolder.boolValue else {
                continue
            }
            throw ConfigurationError(
                source: file.path, key: "", reason: "is a folder, and the run writes a file there: remove it")
        }
    }

    /// Whether nothing is there but what a run leaves that is killed before it has written its configuration.
    var isUnused: Bool {
        let manager = FileManager.default
        return ((try? manager.contentsOfDirectory(atPath: url.path)) ?? []).allSatisfy { name in
            Self.isLeftover(name) || name == RunLock.name
                || name == rollouts.lastPathComponent
                    && (try? manager.contentsOfDirectory(atPath: rollouts.path))?.isEmpty == true
        }
    }

    /// Whether any phase has one.
    var hasCheckpoints: Bool {
        ([checkpoints] + RunPhase.allCases.map { checkpoints(of: $0, isLast: false) })
            .contains { !Checkpoint.steps(in: $0).isEmpty }
    }

    /// Removes what was being written when a run was killed, wherever runs write.
    func sweep() {
        let manager = FileManager.default
        func sweep(_ folder: URL, depth: Int) {
            for name in (try? manager.contentsOfDirectory(atPath: folder.path)) ?? [] {
                let place = folder.appending(path: name)
                if Self.isLeftover(name) {
                    // One that cannot be removed harms nothing: no run reads it.
                    try? manager.removeItem(at: place)
                } else if depth > 0 {
                    sweep(place, depth: depth - 1)
                }
            }
        }
        for (folder, depth) in [(url, 0), (rollouts, 0), (checkpoints, 2)] { sweep(folder, depth: depth) }
    }
}
