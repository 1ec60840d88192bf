import Testing
import Trajectories

struct PhiloxTests {
    /// Known answers of Random123 1.14 (kat_vectors, philox4x32 with 10 rounds): counter, key, result.
    @Test(
        arguments: [
            (SIMD4<UInt32>(repeating: 0), 0, SIMD4<UInt32>(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)),
            (
                SIMD4(repeating: 0xffff_ffff), 0xffff_ffff_ffff_ffff,
                SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
            ),
            (
                SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), 0x299f_31d0_a409_3822,
                SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
            ),
        ] as [(SIMD4<UInt32>, UInt64, SIMD4<UInt32>)])
    func knownAnswers(counter: SIMD4<UInt32>, key: UInt64, expected: SIMD4<UInt32>) {
        #expect(Philox(key: key).words(at: counter) == expected)
    }

    @Test func uniformNumbersCoverTheHalfOpenInterval() {
        #expect(Philox.uniform(0) == 0)
        #expect(Philox.uniform(.max) == 1 - 0x1p-24)
        #expect(Philox.uniform(0x8000_0000) == 0.5)
        #expect(Philox.uniform(0xff) == 0)
    }

    @Test func uniformNumbersAreSpreadEvenly() {
        let stream = RandomStream(seed: 7, purpose: .sampling, problem: 3)
        var counts = [Int](repeating: 0, count: 16)
        for position in 0..<16_000 { counts[Int(stream.uniform(at: position) * 16)] += 1 }
        // Chi-squared with 15 degrees of freedom exceeds 45 with probability 8e-5.
        let statistic = counts.reduce(0.0) { $0 + (Double($1) - 1000) * (Double($1) - 1000) / 1000 }
        #expect(statistic < 45)
    }

    @Test func normalNumbersHaveTheMomentsOfTheDistribution() {
        let stream = RandomStream(seed: 11, purpose: .initialization)
        let values = (0..<20_000).flatMap { position -> [Double] in
            let (first, second) = stream.normal(at: position)
            return [Double(first), Double(second)]
        }
        func moment(_ power: Int) -> Double {
            values.reduce(0) { sum, value in sum + (0..<power).reduce(1) { product, _ in product * value } }
                / Double(values.count)
        }
        #expect(abs(moment(1)) < 0.02)
        #expect(abs(moment(2) - 1) < 0.04)
        #expect(abs(moment(3)) < 0.08)
        #expect(abs(moment(4) - 3) < 0.25)
        #expect(abs(zip(values, values.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / Double(values.count)) < 0.02)
    }

    @Test func normalNumbersAreFiniteAtTheEdges() {
        for word in [UInt32.min, .max] {
            let (first, second) = Philox.normal(word, word)
            #expect(first.isFinite && second.isFinite)
        }
    }

    @Test func everyPartOfAStreamsNameMatters() {
        let streams = [
            RandomStream(seed: 1, purpose: .sampling, problem: 2, visit: 3, sample: 4),
            RandomStream(seed: 9, purpose: .sampling, problem: 2, visit: 3, sample: 4),
            RandomStream(seed: 1, purpose: .problems, problem: 2, visit: 3, sample: 4),
            RandomStream(seed: 1, purpose: .sampling, problem: 9, visit: 3, sample: 4),
            RandomStream(seed: 1, purpose: .sampling, problem: 2 << 32, visit: 3, sample: 4),
            RandomStream(seed: 1, purpose: .sampling, problem: 2, visit: 9, sample: 4),
            RandomStream(seed: 1, purpose: .sampling, problem: 2, visit: 3, sample: 9),
            RandomStream(seed: 1, purpose: .sampling, problem: 2, visit: 4, sample: 3),
        ]
        let words = streams.flatMap { stream in [0, 1, 1 << 32].map { stream.words(at: $0) } }
        #expect(Set(words).count == words.count)
    }

    @Test func theUniformNumberOfATokenIsThatOfItsStream() {
        let stream = RandomStream(seed: 5, purpose: .sampling, problem: 6, visit: 1, sample: 2)
        #expect(Philox.uniform(seed: 5, problem: 6, visit: 1, sample: 2, position: 40) == stream.uniform(at: 40))
    }
}
