import Foundation
import Learning
import StructureRewards
import Testing

@testable import Training

@Suite struct ConfigurationReaderTests {
    @Test func withoutAnythingItIsTheBuiltInRun() throws {
        #expect(try ConfigurationReader.read(file: nil) == RunConfiguration())
    }

    @Test func aFileChangesWhatItNames() async throws {
        let configuration = try await ConfigurationText.read(
            """
            # a comment
            steps: 7
            arms: [grpo, sft]
            task:
              kind: jsonl
              graphs: {sizes: [3, 5]}
              fields: {trace: null, id: name}
            reinforcement:
              sampling:
                temperature: 0.5
            reward: {alpha: 0.25, judge: lexical, compatibility: reference}
            warmup: {shape: linear, learningRate: 1e-4}
            """)
        var expected = RunConfiguration()
        expected.steps = 7
        expected.arms = [.grpo, .sft]
        expected.task.kind = .jsonl
        expected.task.graphs.sizes = 3...5
        expected.task.fields.trace = nil
        expected.task.fields.id = "name"
        expected.reinforcement.sampling.temperature = 0.5
        expected.reward.alpha = 0.25
        expected.reward.judge = .lexical
        expected.reward.compatibility = .reference
        expected.warmup.shape = .linear
        expected.warmup.learningRate = 1e-4
        #expect(configuration == expected)
    }

    @Test func anEmptyFileChangesNothing() async throws {
        for text in ["", "\n", "# nothing\n", "{}\n"] {
            #expect(try await ConfigurationText.read(text) == RunConfiguration())
        }
    }

    @Test func overridesComeLast() async throws {
        let configuration = try await ConfigurationText.read(
            "steps: 7\nseed: 2\n", "steps=9", "arms=rlkd", "steps=11", "task.graphs.sizes=2,3", "reward.alpha=0.5",
            "name=a=b", "reinforcement.sampling.topP=0.9")
        #expect(configuration.steps == 11)
        #expect(configuration.seed == 2)
        #expect(configuration.arms == [.rlkd])
        #expect(configuration.task.graphs.sizes == 2...3)
        #expect(configuration.reward.alpha == 0.5)
        #expect(configuration.name == "a=b")
        #expect(configuration.reinforcement.sampling.topP == 0.9)
    }

    @Test func listsAreTakenInEitherForm() async throws {
        for override in ["arms=sft,rlkd", "arms=[sft, rlkd]", "arms=sft, rlkd"] {
            #expect(try ConfigurationReader.read(file: nil, overrides: [override]).arms == [.sft, .rlkd])
        }
        #expect(try await ConfigurationText.read("arms: rlkd\n").arms == [.rlkd])
        #expect(try await ConfigurationText.read("arms:\n  - rlkd\n  - sft\n").arms == [.rlkd, .sft])
    }

    @Test func nullTakesAValueAway() async throws {
        let configuration = try await ConfigurationText.read(
            "reward: {alpha: 0.5}\nstudent: {model: /m}\noutput: ~\n", "reward.alpha=null", "student.model=")
        #expect(configuration.reward.alpha == nil)
        #expect(configuration.student.model == nil)
        #expect(configuration.output == nil)
    }

    @Test func aWrittenConfigurationIsReadAsItWas() async throws {
        var odd = TestRun.configuration(output: URL(filePath: "/some where/run: 1"))
        odd.name = "null"
        odd.seed = .max
        odd.reward.alpha = 0.1
        odd.task.separator = "\n\t: #"
        odd.task.fields.answer = nil
        odd.task.fields.question = "1e3"
        odd.arms = [.grpo]
        for configuration in [RunConfiguration(), TestRun.configuration(), odd] {
            #expect(try await ConfigurationText.read(configuration.yaml()) == configuration)
        }
    }

    /// Whatever stands in a file, it is read or refused with an error of its own.
    @Test func noTextBreaksTheReader() async throws {
        let pieces = [
            "steps", ":", " ", "\n", "  ", "- ", "[", "]", "{", "}", "null", "1", "x", "\"", "'", "&a", "*a", "!!int",
            "task:\n", "graphs:", "?", "|", ">", "<<", "#", "arms: ", "sizes: [1, 2]", "\t", "é", "---", "%",
        ]
        var state: UInt64 = 12
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "run.yaml")
            for _ in 0..<800 {
                let text = (0..<next(12)).map { _ in pieces[next(pieces.count)] }.joined()
                try Data(text.utf8).write(to: file)
                do {
                    _ = try ConfigurationReader.read(file: file)
                    _ = try ConfigurationReader.read(file: nil, overrides: ["task=" + text])
                } catch is ConfigurationError {
                }
            }
        }
    }
}
