import Benchmark
import Pipelines
import StructureRewards
import Trajectories

func pipelineBenchmarks() {
    /// One task on one thread sends 1000 elements and receives them, never waiting: what a queue costs by itself. The count is of
    /// the whole task.
    Benchmark.define("queue.sendReceive1000") {
        (EmbeddedExecutor(seed: nil), BoundedQueue<Int>(name: "numbers", capacity: 8))
    } body: { executor, queue in
        let sum = try executor.run {
            var sum = 0
            for number in 0..<1000 {
                try await queue.send(number)
                sum += try await queue.receive() ?? 0
            }
            return sum
        }
        precondition(sum == 499_500, "the queue lost an element")
    }
    /// A student's path of 8 steps against its teacher's, of which the last step differs.
    Benchmark.define("alignment.prefix8") {
        AlignmentInputs()
    } body: { inputs in
        let (student, teacher) = (inputs.student, inputs.teacher)
        let score = try inputs.executor.run {
            try await StructureReward(judge: ExactJudge()).score(student: student, teachers: [teacher])
        }
        precondition(score?.value == 7.0 / 8, "the alignment is wrong")
    }
}

private struct AlignmentInputs {
    let executor = EmbeddedExecutor(seed: nil)
    let teacher = path { "Work out quantity number \($0) from those before it." }
    let student = path { $0 < 7 ? "Work out quantity number \($0) from those before it." : "Guess the answer." }

    private static func path(_ metaReasoning: (Int) -> String) -> Structure {
        Structure(
            steps: (0..<8).map { index in
                Step(
                    metaReasoning: metaReasoning(index), subProblem: "What is q\(index) = \(index) + \(index + 1)?",
                    answer: "q\(index) = \(2 * index + 1)")
            })
    }
}
