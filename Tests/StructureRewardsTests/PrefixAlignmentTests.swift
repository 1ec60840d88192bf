import TestSupport
import Testing
import Trajectories

@testable import StructureRewards

private func structure(_ steps: [(String, String, String)]) -> Structure {
    Structure(steps: steps.map { Step(metaReasoning: $0.0, subProblem: $0.1, answer: $0.2) })
}

private let exact = StructureReward(judge: ExactJudge())

@Suite struct PrefixAlignmentTests {
    private let teacher = structure([("m1", "q1", "1"), ("m2", "q2", "2"), ("m3", "q3", "3"), ("m4", "q4", "4")])

    @Test func equalPathsEarnOne() async throws {
        let score = try #require(try await exact.score(student: teacher, teachers: [teacher]))
        #expect(score.value == 1)
        #expect(score.steps.map(\.reward) == [1, 1, 1, 1])
    }

    @Test func halvesForSubProblemAndAnswer() async throws {
        let student = structure([("m1", "x", "1"), ("m2", "q2", "x"), ("m3", "x", "x"), ("m4", "q4", "4")])
        let score = try #require(try await exact.score(student: student, teachers: [teacher]))
        #expect(score.steps.map(\.reward) == [0.5, 0.5, 0.25, 1])
        #expect(score.value == 2.25 / 4)
    }

    @Test func firstOtherMetaReasoningEndsIt() async throws {
        let student = structure([("m1", "q1", "1"), ("x", "q2", "2"), ("m3", "q3", "3"), ("m4", "q4", "4")])
        let score = try #require(try await exact.score(student: student, teachers: [teacher]))
        #expect(score.steps.map(\.reward) == [1, 0, 0, 0])
        #expect(score.value == 0.25)
        #expect(score.steps[2].note.contains("step 2"))
    }

    @Test func missingAndSurplusSteps() async throws {
        let short = structure([("m1", "q1", "1")])
        #expect(try await exact.score(student: short, teachers: [teacher])?.value == 0.25)
        let score = try #require(try await exact.score(student: teacher, teachers: [short]))
        #expect(score.value == 1)
        #expect(score.steps.count == 4)
        #expect(score.steps[1].teacherStep == nil)
    }

    @Test func bestOfSeveralTraces() async throws {
        let other = structure([("m1", "q1", "9"), ("m2", "q2", "2")])
        let score = try #require(try await exact.score(student: teacher, teachers: [other, teacher, teacher]))
        #expect(score.value == 1)
        #expect(score.trace == 1)
        #expect(try await exact.score(student: teacher, teachers: []) == nil)
    }

    @Test func everyStepIsExplained() async throws {
        let student = structure([("m1", "x", "1"), ("y", "q2", "2"), ("m3", "q3", "3")])
        let score = try #require(try await exact.score(student: student, teachers: [teacher]))
        #expect(score.steps.map(\.step) == [0, 1, 2])
        #expect(score.steps.allSatisfy { $0.note.hasSuffix(".") && $0.note.count > 20 })
        #expect(score.steps[0].note.contains("sub-problem") && score.steps[0].note.contains("× 0.5"))
    }

    /// Random lists against the released code's procedure, written out anew with its three passes.
    @Test func agreesWithThreePasses() async throws {
        var random = SeededGenerator(seed: 7)
        let reference = StructureReward(judge: ExactJudge(), compatibility: .reference)
        for _ in 0..<2000 {
            func list(_ random: inout SeededGenerator, _ least: Int) -> [String] {
                (0..<Int.random(in: least...6, using: &random)).map { _ in
                    ["u", "v"].randomElement(using: &random) ?? ""
                }
            }
            let student = LooseStructure(
                metaReasonings: list(&random, 1), subProblems: list(&random, 0), answers: list(&random, 0))
            let teacher = LooseStructure(
                metaReasonings: list(&random, 1), subProblems: list(&random, 0), answers: list(&random, 0))
            let expected = threePasses(student, teacher)
            let score = try #require(try await reference.score(student: student, teachers: [teacher]))
            #expect(score.value == expected)
            let divided = try #require(try await exact.score(student: student, teachers: [teacher]))
            #expect(divided.value == expected / Double(teacher.metaReasonings.count))
            #expect((0...1).contains(divided.value))
        }
    }

    private func threePasses(_ student: LooseStructure, _ teacher: LooseStructure) -> Double {
        var rewards: [Double] = []
        for (mine, its) in zip(student.metaReasonings, teacher.metaReasonings) {
            rewards.append(rewards.last == 0 ? 0 : (mine == its ? 1 : 0))
        }
        for (index, (mine, its)) in zip(student.subProblems, teacher.subProblems).enumerated() {
            if index < rewards.count, mine != its { rewards[index] *= 0.5 }
        }
        for (index, (mine, its)) in zip(student.answers, teacher.answers).enumerated() {
            if index < rewards.count, mine != its { rewards[index] *= 0.5 }
        }
        return rewards.reduce(0, +)
    }

    /// Adding the teacher's next step to a path never lowers the reward; swapping two different steps never raises it to 1.
    @Test func prefixesGrowAndOrderMatters() async throws {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<200 {
            let count = Int.random(in: 2...7, using: &random)
            let steps = (0..<count).map { Step(metaReasoning: "m\($0)", subProblem: "q\($0)", answer: "\($0)") }
            var last = -1.0
            for length in 1...count {
                let prefix = Structure(steps: Array(steps[..<length]))
                let value = try #require(
                    try await exact.score(student: prefix, teachers: [Structure(steps: steps)])?.value)
                #expect(value > last)
                last = value
            }
            #expect(last == 1)
            var swapped = steps
            let first = Int.random(in: 0..<count - 1, using: &random)
            swapped.swapAt(first, first + 1)
            let value = try await exact.score(
                student: Structure(steps: swapped), teachers: [Structure(steps: steps)])?.value
            #expect(value == Double(first) / Double(count))
        }
    }
}
