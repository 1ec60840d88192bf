import Generation
import Learning
import StructureRewards
import Tokenizers
import Trajectories

/// What a run needs to know of its task: texts to imitate, problems to practise and to be tested on, and how to read and
/// judge what the student writes.
protocol RunTask: Sendable {
    var tokenizer: Tokenizer { get }
    /// Problems with a teacher's trace, which every arm gets.
    var training: [PreparedProblem] { get }
    var tests: [TestSet] { get }
    var reader: any StructureReader { get }
    var verifier: any OutcomeVerifier { get }
    /// Rows that did not fit the student's context.
    var dropped: DroppedRows { get }
    /// About the bytes of memory that reading the task's files took at most, beside what is kept.
    var readingBytes: Double { get }

    /// The base student's demonstration at a position of its training.
    func warmupDemonstration(at position: Int) throws -> Demonstration
}

/// A problem with its token counts.
struct PreparedProblem: Sendable {
    var problem: Problem
    /// The question's tokens, as the student is given them.
    var prompt: [Int32]
    /// Where a completion in the student's notation is cut.
    var maxNewTokens: Int
    /// Where a completion in the teacher's notation is cut, so that as many steps fit.
    var maxNewTeacherTokens: Int
    /// The first trace, to imitate.
    var demonstration: Demonstration?

    func maxNewTokens(imitatingTeacher: Bool) -> Int {
        imitatingTeacher ? maxNewTeacherTokens : maxNewTokens
    }
}

/// Held-out problems under the name that they have in the summary.
struct TestSet: Sendable {
    var name: String
    var problems: [PreparedProblem]
}
