import Memory
import Pipelines
import TestSupport
import Testing

@testable import Models

/// Passes that take turns with the same workspaces.
@Suite(.timeLimit(.minutes(30))) struct SharedPassTurnsTests {
    private static let threads = 3

    /// A short one whose layers are recomputed, and a long one.
    private static let turns: [(storage: ActivationStorage, batch: TrainingBatch)] = {
        var short = TrainingBatch()
        short.append(prompt: (0..<9).map { $0 * 7 % 331 }, completions: [[5, 6, 7, 8], [9, 10]])
        short.append(prompt: [3], completions: [(0..<40).map { $0 * 11 % 331 }])
        return [(.recomputed, short), (.kept, SharedPassTests.batch)]
    }()

    private struct Outcome {
        /// Of each turn: its log-probabilities and gradient.
        var bits: [[UInt32]] = []
        /// Bytes of each turn's workspaces after each round, the smallest first.
        var counts: [[[Int]]] = []
    }

    /// Two rounds, in which all threads take part in every pass for certain.
    ///
    /// - Parameter workspaces: of each turn.
    private static func run(
        _ parameters: Parameters, _ workspaces: [PassWorkspaces], _ meeting: Rendezvous
    ) -> Outcome {
        let weights = PolicyWeights(parameters)
        let transposed = TransposedWeights(parameters)
        let gradient = AlignedBuffer<Float>(count: parameters.count)
        let passes = zip(turns, workspaces).map { turn, workspaces in
            let pass = Backpropagation(
                configuration: parameters.configuration, storage: turn.storage, workspaces: workspaces)
            pass.forwardProgram = meeting.meeting(before: pass.forwardProgram)
            pass.backwardProgram = meeting.meeting(before: pass.backwardProgram)
            return pass
        }
        var result = Outcome()
        for _ in 0..<2 {
            for (pass, turn) in zip(passes, turns) {
                meeting.beginStep()
                pass.forward(turn.batch, weights: weights, temperature: 0.8, sharedBy: threads)
                turn.batch.targets.indices.map { Float($0 % 5) - 1.5 }.withUnsafeBufferPointer {
                    pass.backward($0, transposed: transposed, layout: parameters.layout, into: gradient.pointer)
                }
                result.bits.append(
                    pass.logProbabilities.map(\.bitPattern) + gradient.span.map(\.bitPattern))
            }
            result.counts.append(
                workspaces.map { list in list.idle.withLock { $0.map(\.sizes.byteCount).sorted() } })
        }
        return result
    }

    /// Nothing in a workspace outlives a tile, so that one which another pass has written in, or made larger than is needed, leaves
    /// every bit as it is; and none grows any more when each pass has been.
    @Test(arguments: Precision.allCases)
    func workspacesServePassesOfDifferentSizes(precision: Precision) async throws {
        let parameters = try SharedPassTests.parameters("qwen3-untied", precision)
        let executor = ComputeExecutor(threads: Self.threads, pinned: false)
        defer { executor.shutdown() }
        @Sendable func result(_ workspaces: [PassWorkspaces]) async -> Outcome {
            let meeting = Rendezvous(places: Self.threads, programs: 2, steps: 2 * Self.turns.count)
            let result = await executor.lane(.learner).run { Self.run(parameters, workspaces, meeting) }
            #expect(meeting.succeeded, "a thread did not take part")
            return result
        }
        let own = await result(Self.turns.map { _ in PassWorkspaces() })
        let common = PassWorkspaces()
        let shared = await result(Self.turns.map { _ in common })
        // Not the lists themselves, in which the differences would be looked for.
        let areEqual = shared.bits == own.bits
        #expect(areEqual)
        #expect(own.bits.allSatisfy { $0.contains { $0 != 0 } })
        #expect(shared.counts[0] == shared.counts[1])
        #expect(own.counts[0] == own.counts[1])
        // All threads have taken part in each pass at once.
        #expect((own.counts[0] + shared.counts[0]).allSatisfy { $0.count == Self.threads })
        for place in 0..<Self.threads {
            #expect(own.counts[0][0][place] > 0 && own.counts[0][0][place] < own.counts[0][1][place])
            #expect(shared.counts[0][0][place] >= own.counts[0][1][place])
        }
    }
}
