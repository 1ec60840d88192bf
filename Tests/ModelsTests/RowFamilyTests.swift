import Kernels
import TestSupport
import Testing

@testable import Models
@testable import Pipelines

/// Members of groups that share their prompts, decoded side by side, get the logits of the training pass, bit for bit.
@Suite struct RowFamilyTests {
    private static let promptLength = 75
    private static let newTokens = 22

    private func weights(queriesPerHead: Int, _ precision: Precision) throws -> PolicyWeights {
        var configuration = ModelConfiguration(
            architecture: .qwen2, hiddenSize: 48, intermediateSize: 40, layerCount: 2,
            attentionHeadCount: 2 * queriesPerHead, keyValueHeadCount: 2, headDimension: 16, vocabularySize: 50,
            maxPositions: 128)
        configuration.precision = precision
        return try PolicyWeights.randomized(configuration: configuration, seed: 3, deviation: 0.3)
    }

    @Test(arguments: [1, 2, 3, 4], Precision.allCases)
    func membersAreEachAlone(queriesPerHead: Int, precision: Precision) throws {
        let weights = try weights(queriesPerHead: queriesPerHead, precision)
        var random = SeededGenerator(seed: 77)
        func tokens(_ count: Int) -> [Int32] { (0..<count).map { _ in Int32.random(in: 0..<50, using: &random) } }
        let prompts = [tokens(Self.promptLength), tokens(Self.promptLength)]
        let completions = prompts.map { _ in (0..<5).map { _ in tokens(Self.newTokens) } }
        let expected = zip(prompts, completions).map { prompt, completions in
            completions.map { trainingLogits(prompt + $0, weights) }
        }
        for places in [1, 2] {
            try membersAreEachAlone(prompts, completions, expected, weights, places: places)
        }
    }

    /// - Parameter places: where there are two, the pass is by one member, which takes each stage's tiles from the last to the first.
    private func membersAreEachAlone(
        _ prompts: [[Int32]], _ completions: [[[Int32]]], _ expected: [[[[UInt32]]]], _ weights: PolicyWeights,
        places: Int
    ) throws {
        let decoder = DecoderInference(
            configuration: weights.configuration, rowCapacity: 160, logitCapacity: 16, pageCapacity: 64, places: places)
        var tables = try prompts.map { try prefilled($0, decoder, weights) }
        let stranger = Table()
        #expect(stranger.reserve(positions: 5, from: decoder.pages))
        var members = (0..<2).flatMap { group in (0..<5).map { (group, $0) } }
        for step in 0..<Self.newTokens {
            let position = Self.promptLength + step
            decoder.begin()
            // Others before and among the members, with logits and without, so that rows and rows of logits differ.
            let hasLogits = step % 3 == 2
            if step % 3 > 0 { _ = stranger.append([1, 2, 3], at: 0, to: decoder, wantsLogits: hasLogits) }
            var indices: [Int?] = []
            for (place, (group, member)) in members.enumerated() {
                let table = tables[group].members[member]
                #expect(table.reserve(positions: position + 1, from: decoder.pages))
                indices.append(table.append(completions[group][member][step], at: position, to: decoder))
                if place == 4 && step % 2 == 1 { _ = stranger.append([4], at: 4, to: decoder, wantsLogits: false) }
            }
            if places == 1 {
                decoder.forward(weights)
            } else {
                var member = TeamMember(backwardAt: 1, of: places)
                decoder.forward(weights, &member)
            }
            for ((group, member), index) in zip(members, indices) {
                #expect(
                    try bits(decoder, index) == expected[group][member][position],
                    "member \(member) of group \(group) at \(position)")
            }
            // Groups shrink, and members change places.
            if step == 8 { members.remove(at: 3) }
            if step == 15 { members.swapAt(0, 6) }
        }
        tables.removeAll()
    }

    /// As many rows go together as kernels have use for, none across groups.
    @Test func familiesAreRowsThatSharePages() throws {
        let configuration = try weights(queriesPerHead: 2, .float32).configuration
        #expect(RowFamilies.mostMembers(configuration) == 4)
        let families = RowFamilies(configuration, capacity: 32, decodeRows: 16, places: 1)
        // Of eight pages each: the first five sequences share six, the next two other four, the last none.
        #expect(
            found(
                families,
                (0..<5).map { [0, 1, 2, 3, 4, 5, 6 + $0, 11] } + (0..<2).map { [6, 7, 8, 9, $0, 1, 2, 3] }
                    + [[8, 9, 10, 11, 12, 13, 14, 15]], position: 120)
                == [[0, 4, 6], [4, 1, 0], [5, 2, 4], [7, 1, 0]])
        // Two groups of five whose prompts begin alike: what is left of the first takes one of the second, but no more of
        // them, which share more with one another.
        #expect(
            found(
                families,
                (0..<5).map { [0, 1, 2, 3, 4, 5, 16 + $0] } + (0..<5).map { [0, 1, 2, 3, 8, 9, 24 + $0] },
                position: 100) == [[0, 4, 6], [4, 2, 4], [6, 4, 6]])
        // A page that a member still writes to is not shared, whatever stands in the tables.
        #expect(found(families, [[0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3, 4, 5, 6, 7]], position: 84) == [[0, 2, 5]])
        // Too little in common.
        #expect(found(families, [[0, 1, 2, 4, 5], [0, 1, 2, 6, 7]], position: 70) == [[0, 1, 0], [1, 1, 0]])
    }

    /// Threads that share a step have two families each, if there are rows enough.
    @Test(arguments: [1, 2, 4, 8]) func everyPlaceHasFamilies(places: Int) throws {
        let configuration = try weights(queriesPerHead: 1, .float32).configuration
        let families = RowFamilies(configuration, capacity: 32, decodeRows: 16, places: places)
        let count = found(
            families, (0..<16).map { [0, 1, 2, 3, 4, 5 + $0] }, position: 90
        ).count
        #expect(count >= (places == 1 ? 2 : 2 * places))
        #expect(count <= (places == 8 ? 16 : 2 * places + 1))
    }

    /// First row, rows and shared pages of each family of sequences with such pages, all at one position.
    private func found(_ families: RowFamilies, _ tables: [[Int]], position: Int) -> [[Int]] {
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 64)
        defer { memory.deallocate() }
        let length = tables.map(\.count).max() ?? 0
        let pages = UnsafeMutablePointer<UnsafeMutablePointer<Float>>.allocate(capacity: tables.count * length)
        defer { pages.deallocate() }
        families.begin()
        var count = 0
        for (row, table) in tables.enumerated() {
            for index in 0..<length { pages[row * length + index] = memory + (index < table.count ? table[index] : 63) }
            count = families.append(
                RowSpan(firstRow: row, count: 1, firstPosition: position, blocks: UnsafePointer(pages + row * length)))
        }
        return (0..<count).map {
            let family = families.pointer[$0]
            return [family.first, family.count, family.sharedPages]
        }
    }

    private struct Group {
        var prompt: Table
        var members: [Table]
    }

    /// A page table that can stand in an array.
    private final class Table {
        private var table = PageTable(maxPositions: 128)

        func reserve(positions: Int, from pages: KeyValuePages) -> Bool {
            table.reserve(positions: positions, from: pages)
        }

        func fork(_ prompt: Table, positions: Int, from pages: KeyValuePages) -> Bool {
            table.fork(prompt.table, positions: positions, from: pages)
        }

        func append(_ token: Int32, at position: Int, to decoder: DecoderInference) -> Int? {
            append([token], at: position, to: decoder)
        }

        func append(
            _ tokens: [Int32], at position: Int, to decoder: DecoderInference, wantsLogits: Bool = true
        ) -> Int? {
            tokens.withUnsafeBufferPointer {
                decoder.append(tokens: $0, firstPosition: position, table: table, wantsLogits: wantsLogits)
            }
        }
    }

    private func prefilled(_ prompt: [Int32], _ decoder: DecoderInference, _ weights: PolicyWeights) throws -> Group {
        let table = Table()
        #expect(table.reserve(positions: prompt.count, from: decoder.pages))
        decoder.begin()
        _ = table.append(prompt, at: 0, to: decoder)
        decoder.forward(weights)
        let members = (0..<5).map { _ in Table() }
        for member in members {
            #expect(member.fork(table, positions: prompt.count, from: decoder.pages))
        }
        return Group(prompt: table, members: members)
    }

    private func trainingLogits(_ tokens: [Int32], _ weights: PolicyWeights) -> [[UInt32]] {
        let vocabulary = weights.configuration.vocabularySize
        let pass = Backpropagation(configuration: weights.configuration)
        pass.forward(TrainingBatch(predicting: tokens + [0]), weights: weights, temperature: 1)
        return (0..<tokens.count).map { row in
            (0..<vocabulary).map { pass.logits.pointer[row * vocabulary + $0].bitPattern }
        }
    }

    private func bits(_ decoder: DecoderInference, _ index: Int?) throws -> [UInt32] {
        let logits = decoder.logits(try #require(index))
        return (0..<decoder.configuration.vocabularySize).map { logits[$0].bitPattern }
    }
}
