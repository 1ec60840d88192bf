import Foundation
import Logging
import Models
import Testing
import Trajectories

@testable import Training

/// Whole runs in bfloat16 and of adapters: what they leave, and that they can be resumed.
@Suite(.timeLimit(.minutes(30))) struct AdapterRunTests {
    enum Setting: CaseIterable {
        case bfloat16, adapters, bfloat16Adapters

        func apply(to configuration: inout RunConfiguration) {
            if self != .adapters { configuration.dtype = .bfloat16 }
            if self != .bfloat16 {
                configuration.learner.adapters.rank = 3
                configuration.learner.adapters.targets = [.query, .value, .up, .down]
                configuration.learner.activations = .recomputed
            }
        }
    }

    private func configuration(_ setting: Setting, _ output: URL) -> RunConfiguration {
        var configuration = TestRun.configuration(output: output)
        configuration.steps = 4
        // Rewards by length differ, however little the student knows.
        configuration.reward.overlong.weight = 1
        configuration.reward.overlong.start = 0
        configuration.reinforcement.groupSize = 6
        setting.apply(to: &configuration)
        return configuration
    }

    @Test(arguments: Setting.allCases) func aResumedRunEndsInTheSameBits(setting: Setting) async throws {
        try await withTemporaryFolder { folder in
            let whole = folder.appending(path: "whole")
            try await TestRun.run(configuration(setting, whole))
            let lines = try TestRun.metrics(whole).filter { $0["phase"] as? String == "rlkd" }
            #expect(lines.count == 4)
            for line in lines { #expect(line["ratioDeviation"] as? Double == 0) }
            #expect(lines.contains { $0["gradientNorm"] as? Double != 0 })

            let resumed = folder.appending(path: "resumed")
            try FileManager.default.copyItem(at: whole, to: resumed)
            let run = RunDirectory(url: resumed)
            try FileManager.default.removeItem(at: run.summary)
            try FileManager.default.removeItem(at: run.checkpoints.appending(path: "step-4"))
            var state = try RunState.load(run)
            state.finished = [.base]
            state.results = state.results.filter { $0.key == "base" }
            state.reports = state.reports.filter { $0.key == "base" }
            try state.write(to: run.state)
            var configuration = configuration(setting, resumed)
            configuration.threads = 1
            // The path of the base student is in adapter_config.json.
            let adapters = "checkpoints/step-2/adapters/adapter_config.json"
            if setting != .bfloat16 {
                let text = try String(contentsOf: resumed.appending(path: adapters), encoding: .utf8)
                #expect(text.contains(whole.path + "/checkpoints/base/step-7"))
                let file = resumed.appending(path: adapters)
                var object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
                object["lora_alpha"] = 999
                try JSONSerialization.data(withJSONObject: object).write(to: file)
                try await expectRefusal(of: configuration, naming: file, key: "lora_alpha")
                try Data(text.utf8).write(to: file)
                try await expectOtherAdaptersRefused(
                    of: configuration, in: file.deletingLastPathComponent(), base: whole)
            }
            let pipeline = resumed.appending(path: "checkpoints/step-2/pipeline.json")
            let waiting = try Data(contentsOf: pipeline)
            try FileManager.default.removeItem(at: pipeline)
            try await expectRefusal(of: configuration, naming: pipeline, key: nil)
            try waiting.write(to: pipeline)
            try await TestRun.run(configuration, resuming: true)
            let (one, other) = (try bits(whole, 4), try bits(resumed, 4))
            #expect(one == other)
            #expect(try TestRun.metrics(whole) == TestRun.metrics(resumed))
            #expect(try TestRun.summary(whole).arms == TestRun.summary(resumed).arms)
        }
    }

    /// Whole adapters, but not of the run's rank or not on its projections.
    private func expectOtherAdaptersRefused(
        of configuration: RunConfiguration, in folder: URL, base whole: URL
    ) async throws {
        let manager = FileManager.default
        let kept = folder.deletingLastPathComponent().appending(path: "kept")
        try manager.moveItem(at: folder, to: kept)
        let (shape, _) = try HuggingFaceDirectory.load(whole.appending(path: "checkpoints/base/step-7"))
        let wanted = try #require(configuration.adapters(of: .rlkd))
        for (key, change) in [
            ("r", { $0.rank = 2 }), ("target_modules", { $0.projections = [.query, .value, .up] }),
            ("target_modules", { $0.projections = [.query, .key, .up, .down] }),
        ] as [(String, (inout AdapterConfiguration) -> Void)] {
            var other = wanted
            change(&other)
            try Adapters.randomized(other, of: shape, seed: 1).save(to: folder)
            try await expectRefusal(of: configuration, naming: folder.appending(path: "adapter_config.json"), key: key)
            try manager.removeItem(at: folder)
        }
        try manager.moveItem(at: kept, to: folder)
    }

    private func expectRefusal(of configuration: RunConfiguration, naming file: URL, key: String?) async throws {
        let error = await #expect(throws: ConfigurationError.self) {
            try await TestRun.run(configuration, resuming: true)
        }
        #expect(error?.source == file.path, "\(error.map(\.description) ?? "")")
        #expect(key == nil || error?.key == key, "\(error.map(\.description) ?? "")")
    }

    private func bits(_ run: URL, _ step: Int) throws -> [String: Data] {
        let folder = RunDirectory(url: run).checkpoints.appending(path: "step-\(step)")
        return try [
            "model.safetensors", "optimizer.safetensors", "adapters/adapter_model.safetensors",
        ].reduce(into: [:]) { files, name in
            let file = folder.appending(path: name)
            guard FileManager.default.fileExists(atPath: file.path) else { return }
            files[name] = try Data(contentsOf: file)
        }
    }

    @Test func theMergedModelIsTheBaseWithItsAdapters() async throws {
        try await withTemporaryFolder { folder in
            let run = RunDirectory(url: folder.appending(path: "run"))
            try await TestRun.run(configuration(.adapters, run.url))
            let checkpoint = run.checkpoints.appending(path: "step-4")
            let base = run.checkpoints.appending(path: "base/step-7")
            // A fresh student's weights are made in full.
            #expect(!FileManager.default.fileExists(atPath: base.appending(path: "adapters").path))
            let (shape, weights) = try HuggingFaceDirectory.load(base)
            let adapters = try Adapters(contentsOf: checkpoint.appending(path: "adapters"), of: shape)
            #expect(adapters.configuration.rank == 3)
            #expect(adapters.configuration.projections == [.query, .value, .up, .down])
            let (_, merged) = try HuggingFaceDirectory.load(checkpoint)
            let expected = weights.merging(adapters)
            #expect((0..<merged.count).allSatisfy { merged.pointer[$0] == expected.pointer[$0] })
            #expect(!(0..<merged.count).allSatisfy { merged.pointer[$0] == weights.pointer[$0] })
            // `rlkd eval` scores it as the run did.
            var configuration = configuration(.adapters, run.url)
            configuration.output = nil
            let results = try await ModelEvaluation(
                model: checkpoint.path, configuration: configuration, logger: Logger(label: "test")
            ).run(threads: 1)
            let summary = try TestRun.summary(run.url)
            for result in results { #expect(summary.arms["rlkd"]?[result.name] == result.scores) }
        }
    }

    @Test func aResumedRunKeepsItsNumbersAndItsAdapters() async throws {
        try await withTemporaryFolder { folder in
            var configuration = configuration(.adapters, folder.appending(path: "run"))
            configuration.steps = 1
            configuration.warmup.steps = 1
            try await TestRun.run(configuration)
            func refusal(_ change: (inout RunConfiguration) -> Void) async -> String? {
                var other = configuration
                change(&other)
                return await #expect(throws: ConfigurationError.self) { try await TestRun.run(other, resuming: true) }?
                    .key
            }
            #expect(await refusal { $0.dtype = .bfloat16 } == "dtype")
            #expect(await refusal { $0.learner.adapters.rank = 0 } == "learner.adapters.rank")
            #expect(await refusal { $0.learner.activations = .kept } == "learner.activations")
            let state = try StateFile.read(
                Checkpoint.State.self, from: folder.appending(path: "run/checkpoints/step-1/state.json"))
            #expect(state.dtype == .float32)
        }
    }
}
