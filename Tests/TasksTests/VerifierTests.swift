import Testing
import Trajectories

@testable import Tasks

@Suite struct VerifierTests {
    @Test func judgesQuantityGraphCompletions() throws {
        let problem = Problem(id: "p", question: "e=1+2|?e\n", answer: "3")
        let verifier = QuantityGraphVerifier()
        #expect(verifier.isCorrect("e=1+2|e;1+2e:3|#3", for: problem))
        #expect(verifier.isCorrect("Need e Sum 1,2. Now Sum 1,2, hence e3. Answer 3", for: problem))
        #expect(!verifier.isCorrect("e=1+2|e;1+2e:3|#4", for: problem))
        #expect(!verifier.isCorrect("e=1+2|e;1+2e:3|", for: problem))
        #expect(!verifier.isCorrect("#3", for: Problem(id: "p", question: "", answer: nil)))
        #expect(verifier.isWellFormed("e=1+2|e;1+2e:3|#4", for: problem))
        #expect(!verifier.isWellFormed("#3", for: problem))
        #expect(!verifier.isWellFormed("e=1+2|e;1+2e:3|", for: problem))
    }

    @Test func readerGivesWhatIsWellFormedOrSaysWhy() throws {
        let reader: any StructureReader = QuantityGraphReader()
        #expect(try reader.structure(of: "e=1+2|e;1+2").steps.map(\.metaReasoning) == ["open e"])
        #expect(throws: UnreadablePath.self) { try reader.structure(of: "nothing") }
        #expect(throws: UnreadablePath.self) { try reader.structure(of: "#3") }
    }
}
