import Foundation
import Testing

/// The linker merges weak symbols of one name: a variant's copy of a function that another module also has could then
/// run, with AVX-512 instructions, on a processor without them.
@Suite struct SymbolTests {
    private static let variants = ["KernelsBaseline", "KernelsAVX2", "KernelsAVX512", "KernelsAVX512BF16"]

    /// Metadata, no code, the same in every module.
    private static let shared: Set<String> = ["__swift_reflection_version"]

    /// The folder of the build's products, where every target's objects stand in `<target>.build`.
    private static let products: URL? = {
        let candidates = [
            Bundle.main.executableURL, Bundle.main.bundleURL,
            Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL,
        ]
        for candidate in candidates {
            guard var folder = candidate?.resolvingSymlinksInPath() else { continue }
            for _ in 0..<4 {
                folder.deleteLastPathComponent()
                let objects = folder.appendingPathComponent("KernelsBaseline.build")
                if FileManager.default.fileExists(atPath: objects.path) { return folder }
            }
        }
        return nil
    }()

    private static let nm: URL? = ["/usr/bin/nm", "/usr/local/bin/nm"].map { URL(fileURLWithPath: $0) }
        .first { FileManager.default.isExecutableFile(atPath: $0.path) }

    private static let unavailable: Comment = "needs nm in /usr/bin and the object files beside the test bundle"

    /// Names of symbols that the objects of `target` define, with nm's letters for their kind.
    private func definitions(of target: URL) throws -> [(kind: Character, name: String)] {
        let nm = try #require(Self.nm)
        let enumerator = FileManager.default.enumerator(at: target, includingPropertiesForKeys: nil)
        let objects = (enumerator?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "o" }
        guard !objects.isEmpty else { return [] }
        let process = Process()
        process.executableURL = nm
        process.arguments = ["--defined-only", "--extern-only", "--format=posix"] + objects.map(\.path)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count >= 2, let kind = fields[1].first, fields[1].count == 1 else { return nil }
            return (kind, String(fields[0]))
        }
    }

    @Test(.enabled(if: products != nil && nm != nil, unavailable))
    func variantsShareNoWeakSymbolWithAnyModule() throws {
        let products = try #require(Self.products)
        let targets = try FileManager.default.contentsOfDirectory(at: products, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "build" }
        var owners: [String: Set<String>] = [:]
        var weak: [(target: String, name: String)] = []
        for target in targets {
            let name = target.deletingPathExtension().lastPathComponent
            for symbol in try definitions(of: target) where !Self.shared.contains(symbol.name) {
                owners[symbol.name, default: []].insert(name)
                if Self.variants.contains(name) && "VWvw".contains(symbol.kind) { weak.append((name, symbol.name)) }
            }
        }
        #expect(owners.values.contains { !$0.isDisjoint(with: Self.variants) })
        for symbol in weak {
            #expect(owners[symbol.name] == [symbol.target], "\(symbol.name) is also in another module")
            // Nor may it be a specialisation of another library's generic, which a later module could have too: a name
            // of the variant's own begins with its module.
            let prefix = "$s\(symbol.target.utf8.count)\(symbol.target)"
            #expect(symbol.name.hasPrefix(prefix), "\(symbol.name) does not belong to \(symbol.target)")
        }
    }
}
