import Kernels
import TestSupport
import Testing

@testable import Models

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
        let decoder = DecoderInference(
            configuration: weights.configuration, rowCapacity: 160, logitCapacity: 16, pageCapacity: 64)
        var tables = try prompts.map { try prefilled($0, decoder, weights) }
        var members = (0..<2).flatMap { group in (0..<5).map { (group, $0) } }
        for step in 0..<Self.newTokens {
            let position = Self.promptLength + step
            decoder.begin()
            var indices: [Int?] = []
            for (group, member) in members {
                let table = tables[group].members[member]
                #expect(table.reserve(positions: position + 1, from: decoder.pages))
                indices.append(table.append(completions[group][member][step], at: position, to: decoder))
            }
            decoder.forward(weights)
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
        let weights = try weights(queriesPerHead: 2, .float32)
        let most = Attention.sharingMembers(queriesPerMember: 2)
        #expect(most == 4)
        let families = RowFamilies(weights.configuration, capacity: 32)
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 64)
        defer { memory.deallocate() }
        let pages = (0..<16).map { memory + $0 }
        // Of eight pages each: the first five sequences share six, the next two other four, the last none.
        let tables: [[UnsafeMutablePointer<Float>]] =
            (0..<5).map { Array(pages[0..<6]) + [pages[6 + $0], pages[11]] }
            + (0..<2).map { Array(pages[6..<10]) + [pages[$0], pages[1], pages[2], pages[3]] } + [Array(pages[8..<16])]
        families.begin()
        var count = 0
        for (row, table) in tables.enumerated() {
            table.withUnsafeBufferPointer { table in
                guard let base = table.baseAddress else { return }
                count = families.append(RowSpan(firstRow: row, count: 1, firstPosition: 120, blocks: base))
            }
        }
        let found = (0..<count).map { families.pointer[$0] }
        #expect(found.map(\.count) == [4, 1, 2, 1])
        #expect(found.map(\.sharedPages) == [6, 0, 4, 0])
        #expect(found.map(\.first) == [0, 4, 5, 7])
        // A page that a member still writes to is not shared, whatever stands in the tables.
        families.begin()
        for row in 0..<2 {
            tables[0].withUnsafeBufferPointer { table in
                guard let base = table.baseAddress else { return }
                count = families.append(
                    RowSpan(firstRow: row, count: 1, firstPosition: row == 0 ? 127 : 84, blocks: base))
            }
        }
        #expect(count == 1 && families.pointer[0].sharedPages == 5)
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

        func append(_ tokens: [Int32], at position: Int, to decoder: DecoderInference) -> Int? {
            tokens.withUnsafeBufferPointer {
                decoder.append(tokens: $0, firstPosition: position, table: table, wantsLogits: true)
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
