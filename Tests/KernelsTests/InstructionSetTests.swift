import Testing

@testable import Kernels

@Suite struct InstructionSetTests {
    @Test func theBestIsTheDefault() throws {
        #expect(try InstructionSet.select(environment: [:]) == InstructionSet.best)
        #expect(try InstructionSet.select(environment: ["RLKD_ISA": ""]) == InstructionSet.best)
        #expect(InstructionSet.supported.first == .baseline)
        #expect(InstructionSet.supported == InstructionSet.supported.sorted())
    }

    @Test func theStrongestIsTheFastestButForBFloat16OnIntel() {
        typealias Sets = InstructionSet
        #expect(Sets.fastest(of: Sets.allCases, intel: false) == .avx512bf16)
        #expect(Sets.fastest(of: Sets.allCases, intel: true) == .avx512)
        #expect(Sets.fastest(of: [.baseline, .avx2], intel: true) == .avx2)
        #expect(Sets.fastest(of: [.baseline, .avx2], intel: false) == .avx2)
        #expect(Sets.fastest(of: [.baseline], intel: true) == .baseline)
    }

    @Test(arguments: InstructionSet.allCases)
    func aNameSelectsWhatTheMachineHas(set: InstructionSet) throws {
        let environment = ["RLKD_ISA": set.rawValue]
        if InstructionSet.supported.contains(set) {
            #expect(try InstructionSet.select(environment: environment) == set)
        } else {
            #expect(throws: InstructionSetError.unsupported(set)) {
                try InstructionSet.select(environment: environment)
            }
        }
    }

    @Test func anUnknownNameIsRefusedWithTheKnownOnes() {
        #expect(throws: InstructionSetError.unknown(name: "avx3")) {
            try InstructionSet.select(environment: ["RLKD_ISA": "avx3"])
        }
        let message = InstructionSetError.unknown(name: "avx3").description
        #expect(message.contains("RLKD_ISA") && message.contains("avx3") && message.contains("baseline"))
    }

    @Test func peaksArePositive() {
        #expect(Peaks.measureFMA(trials: 2, repetitions: 1000) > 0)
        let buffer = [Float](repeating: 1, count: 100_003)
        #expect(Peaks.measureRead(buffer, count: buffer.count, trials: 2) > 0)
    }
}
