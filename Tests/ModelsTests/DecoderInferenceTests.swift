import Testing

@testable import Models
@testable import Pipelines

/// Inference gives the logits of the training pass, bit for bit, however rows are batched, chunked or shared.
@Suite struct DecoderInferenceTests {
    /// Logits of every position by the training pass.
    private func trainingLogits(_ fixture: ModelFixture, _ weights: PolicyWeights) -> [[UInt32]] {
        let vocabulary = weights.configuration.vocabularySize
        let pass = Backpropagation(configuration: weights.configuration)
        pass.forward(fixture.batch, weights: weights, temperature: 1)
        return (0..<fixture.tokens.count - 1).map { row in
            (0..<vocabulary).map { pass.logits.pointer[row * vocabulary + $0].bitPattern }
        }
    }

    private func bits(_ decoder: DecoderInference, _ index: Int?) throws -> [UInt32] {
        let logits = decoder.logits(try #require(index))
        return (0..<decoder.configuration.vocabularySize).map { logits[$0].bitPattern }
    }

    private static let (place, places) = (2, 4)

    private func decoder(_ weights: PolicyWeights) -> DecoderInference {
        DecoderInference(
            configuration: weights.configuration, rowCapacity: 64, logitCapacity: 8, pageCapacity: 32,
            places: Self.places)
    }

    /// The pass by a thread alone, or by one member of a team, to which no other comes and which takes each stage's tiles from
    /// the last to the first: no tile then needs another of its stage.
    private func forward(_ decoder: DecoderInference, _ weights: PolicyWeights, isBackward: Bool) {
        guard isBackward else { return decoder.forward(weights) }
        var member = TeamMember(backwardAt: Self.place, of: Self.places)
        decoder.forward(weights, &member)
    }

    private func expectRoom(_ hasRoom: Bool) {
        #expect(hasRoom)
    }

    @discardableResult
    private func append(
        _ tokens: some Collection<Int32>, at position: Int, _ table: borrowing PageTable, to decoder: DecoderInference,
        wantsLogits: Bool = true
    ) -> Int? {
        Array(tokens).withUnsafeBufferPointer {
            decoder.append(tokens: $0, firstPosition: position, table: table, wantsLogits: wantsLogits)
        }
    }

    @Test(arguments: ModelFixture.names, Precision.allCases)
    func chunksAreTheWhole(name: String, precision: Precision) throws {
        for chunk in [1, 5, 16, 23] {
            try chunksAreTheWhole(name, precision, chunk, isBackward: false)
            try chunksAreTheWhole(name, precision, chunk, isBackward: true)
        }
    }

    private func chunksAreTheWhole(_ name: String, _ precision: Precision, _ chunk: Int, isBackward: Bool) throws {
        let fixture = try ModelFixture(name)
        let weights = PolicyWeights(fixture.parameters.copy(precision: precision))
        let expected = trainingLogits(fixture, weights)
        let decoder = decoder(weights)
        var table = PageTable(maxPositions: 64)
        for start in stride(from: 0, to: fixture.tokens.count - 1, by: chunk) {
            let end = min(start + chunk, fixture.tokens.count - 1)
            expectRoom(table.reserve(positions: end, from: decoder.pages))
            decoder.begin()
            let index = append(fixture.tokens[start..<end], at: start, table, to: decoder)
            forward(decoder, weights, isBackward: isBackward)
            #expect(try bits(decoder, index) == expected[end - 1], "up to \(end)")
        }
        table.release(to: decoder.pages)
        #expect(decoder.pages.freeCount == 32)
    }

    /// Rows of which no logits are wanted, one or several, alone or among others, leave the keys and values that later ones need.
    @Test(arguments: ModelFixture.names, Precision.allCases)
    func rowsWithoutLogitsAreSeenByLaterOnes(name: String, precision: Precision) throws {
        for isBackward in [false, true] {
            try rowsWithoutLogitsAreSeenByLaterOnes(name, precision, isBackward: isBackward)
        }
    }

    private func rowsWithoutLogitsAreSeenByLaterOnes(_ name: String, _ precision: Precision, isBackward: Bool) throws {
        let fixture = try ModelFixture(name)
        let weights = PolicyWeights(fixture.parameters.copy(precision: precision))
        let expected = trainingLogits(fixture, weights)
        let tokens = fixture.tokens
        let decoder = decoder(weights)
        var first = PageTable(maxPositions: 64)
        var second = PageTable(maxPositions: 64)
        expectRoom(first.reserve(positions: 22, from: decoder.pages))
        expectRoom(second.reserve(positions: 22, from: decoder.pages))
        decoder.begin()
        #expect(append(tokens[..<17], at: 0, first, to: decoder, wantsLogits: false) == nil)
        forward(decoder, weights, isBackward: isBackward)
        decoder.begin()
        append(tokens[17..<18], at: 17, first, to: decoder, wantsLogits: false)
        append(tokens[..<20], at: 0, second, to: decoder, wantsLogits: false)
        forward(decoder, weights, isBackward: isBackward)
        decoder.begin()
        let middle = append(tokens[18..<19], at: 18, first, to: decoder)
        append(tokens[20..<21], at: 20, second, to: decoder, wantsLogits: false)
        forward(decoder, weights, isBackward: isBackward)
        #expect(try bits(decoder, middle) == expected[18])
        decoder.begin()
        let end = append(tokens[19..<22], at: 19, first, to: decoder)
        let other = append(tokens[21..<22], at: 21, second, to: decoder)
        forward(decoder, weights, isBackward: isBackward)
        #expect(try bits(decoder, end) == expected[21])
        #expect(try bits(decoder, other) == expected[21])
    }

    /// Two continuations of one prompt, of which the page that straddles is copied, decoded in one batch with a stranger.
    @Test(arguments: ModelFixture.names, Precision.allCases)
    func aBatchOfForksIsEachAlone(name: String, precision: Precision) throws {
        for isBackward in [false, true] { try aBatchOfForksIsEachAlone(name, precision, isBackward: isBackward) }
    }

    private func aBatchOfForksIsEachAlone(_ name: String, _ precision: Precision, isBackward: Bool) throws {
        let fixture = try ModelFixture(name)
        let weights = PolicyWeights(fixture.parameters.copy(precision: precision))
        let expected = trainingLogits(fixture, weights)
        let decoder = decoder(weights)
        let promptLength = 19
        var prompt = PageTable(maxPositions: 64)
        var first = PageTable(maxPositions: 64)
        var second = PageTable(maxPositions: 64)
        var stranger = PageTable(maxPositions: 64)
        expectRoom(prompt.reserve(positions: promptLength, from: decoder.pages))
        decoder.begin()
        var index = append(fixture.tokens[..<promptLength], at: 0, prompt, to: decoder)
        forward(decoder, weights, isBackward: isBackward)
        #expect(try bits(decoder, index) == expected[promptLength - 1])
        expectRoom(first.fork(prompt, positions: promptLength, from: decoder.pages))
        expectRoom(second.fork(prompt, positions: promptLength, from: decoder.pages))
        for position in promptLength..<fixture.tokens.count - 1 {
            let wrong = (fixture.tokens[position] + 1) % Int32(weights.configuration.vocabularySize)
            expectRoom(first.reserve(positions: position + 1, from: decoder.pages))
            expectRoom(second.reserve(positions: position + 1, from: decoder.pages))
            expectRoom(stranger.reserve(positions: position - promptLength + 1, from: decoder.pages))
            decoder.begin()
            append([wrong], at: position, second, to: decoder)
            append([wrong], at: position - promptLength, stranger, to: decoder)
            index = append([fixture.tokens[position]], at: position, first, to: decoder)
            forward(decoder, weights, isBackward: isBackward)
            #expect(try bits(decoder, index) == expected[position], "position \(position)")
        }
    }
}
