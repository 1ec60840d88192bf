import Glibc
import Memory
import Pipelines
import Synchronization
import TestSupport
import Testing

@testable import Models

/// Members of a learner's passes, and the workspaces that they leave.
@Suite(.timeLimit(.minutes(30))) struct SharedPassWorkspaceTests {
    /// Runs a pass, forward and backward, that so many threads may share.
    private static func run(
        _ parameters: Parameters, sharedBy threads: Int, workspaces: PassWorkspaces,
        program: (TeamProgram) -> TeamProgram = { $0 }
    ) {
        let weights = PolicyWeights(parameters)
        let transposed = TransposedWeights(parameters)
        let pass = Backpropagation(configuration: parameters.configuration, workspaces: workspaces)
        pass.forwardProgram = program(pass.forwardProgram)
        pass.backwardProgram = program(pass.backwardProgram)
        let gradient = AlignedBuffer<Float>(count: parameters.count)
        Array(repeating: Float(1), count: SharedPassTests.batch.targets.count).withUnsafeBufferPointer {
            pass.forward(SharedPassTests.batch, weights: weights, temperature: 1, sharedBy: threads)
            pass.backward($0, transposed: transposed, layout: parameters.layout, into: gradient.pointer)
        }
    }

    @Test func oneThreadRunsAPassThatIsNotShared() async throws {
        let parameters = try SharedPassTests.parameters("qwen3-untied", .float32)
        let executor = ComputeExecutor(threads: 3, pinned: false)
        defer { executor.shutdown() }
        let places = Mutex<[Int]>([])
        let workspaces = PassWorkspaces()
        await executor.lane(.learner).run {
            Self.run(parameters, sharedBy: 1, workspaces: workspaces) { program in
                TeamProgram { member in
                    places.withLock { $0.append(member.places) }
                    program.body(&member)
                }
            }
        }
        #expect(places.withLock { $0 } == [1, 1])
        #expect(workspaces.count == 1)
    }

    private final class Turns: Sendable {
        private let arrived = Atomic(0)
        private let turn = Mutex(())

        /// Returns once so many threads are in it: none of them has two jobs.
        func meet(_ threads: Int) {
            arrived.wrappingAdd(1, ordering: .relaxed)
            while arrived.load(ordering: .relaxed) < threads { sched_yield() }
        }

        func take(_ body: () -> Void) { turn.withLock { _ in body() } }
    }

    /// Each thread for certain has a pass, one after another; what the first has left serves the others.
    @Test func threadsThatTakeTurnsHaveOneWorkspace() async throws {
        let threads = 4
        let parameters = try SharedPassTests.parameters("qwen3-untied", .float32)
        let executor = ComputeExecutor(threads: threads, pinned: false)
        defer { executor.shutdown() }
        let workspaces = PassWorkspaces()
        let turns = Turns()
        await withTaskGroup { group in
            for _ in 0..<threads {
                group.addTask(executorPreference: executor.lane(.learner)) {
                    turns.meet(threads)
                    turns.take { Self.run(parameters, sharedBy: 1, workspaces: workspaces) }
                }
            }
        }
        #expect(workspaces.count == 1)
    }

    /// As many threads come to a pass as it is cut for, each of which has a workspace. The one beyond them stays out, though it
    /// has nothing better to do: it looks for a pass to share before it takes a job of a later lane.
    @Test(arguments: [2, 3]) func noMoreThreadsComeThanAPassIsCutFor(members: Int) async throws {
        let parameters = try SharedPassTests.parameters("qwen3-untied", .float32)
        let executor = ComputeExecutor(threads: members + 1, pinned: false)
        defer { executor.shutdown() }
        let workspaces = PassWorkspaces()
        let meeting = Rendezvous(places: members, programs: 2, steps: 1)
        let outsiders = Mutex<[Outsider]>([])
        await executor.lane(.learner).run {
            meeting.beginStep()
            Self.run(parameters, sharedBy: members, workspaces: workspaces) { program in
                let outsider = Outsider(executor.lane(.rollout))
                outsiders.withLock { $0.append(outsider) }
                return meeting.meeting(
                    before: TeamProgram { member in
                        outsider.expectWork()
                        program.body(&member)
                    })
            }
        }
        #expect(meeting.succeeded, "a thread did not take part, or one too many did")
        for outsider in outsiders.withLock({ $0 }) {
            #expect(await outsider.hasWorked, "the last thread did not stay out")
        }
        #expect(workspaces.count == members)
    }

    /// A job for the thread that has no part in a program whose members are all there.
    private final class Outsider: Sendable {
        private let lane: ComputeLane
        private let job = Mutex<Task<Void, Never>?>(nil)
        private let isWorking = Atomic(false)
        private let wasMissed = Atomic(false)

        init(_ lane: ComputeLane) {
            self.lane = lane
        }

        /// Called by each member: returns once the job has begun, or is given up.
        func expectWork() {
            job.withLock { job in
                if job == nil {
                    job = Task(executorPreference: lane) { self.isWorking.store(true, ordering: .releasing) }
                }
            }
            let patience = Patience()
            while !isWorking.load(ordering: .acquiring) && !patience.isOver { sched_yield() }
            if !isWorking.load(ordering: .acquiring) { wasMissed.store(true, ordering: .releasing) }
        }

        /// Whether there was a job, and no member had to go on without its having begun.
        var hasWorked: Bool {
            get async {
                guard let job = job.withLock({ $0 }) else { return false }
                await job.value
                return !wasMissed.load(ordering: .acquiring)
            }
        }
    }
}
