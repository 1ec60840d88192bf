import ArgumentParser
import StructureRewards

/// How `score` and `decompose` read and judge paths.
struct DecompositionOptions: ParsableArguments {
    @Option(help: "How text is read: automatic (tagged where it holds a tag, else rules), tagged or rules.")
    var decomposer = ScoreOptions.DecomposerName.automatic
}

/// How `score` compares structures.
struct ScoringOptions: ParsableArguments {
    @Option(help: "How a step's parts are compared: exact or lexical.")
    var judge = ScoreOptions.JudgeName.lexical

    @Option(help: "How the student's steps are held against the teacher's: prefix.")
    var alignment = AlignmentMethod.prefix

    @Option(help: "none, or reference: the paper's released code to the letter.")
    var compat = Compatibility.none
}

extension ScoreOptions.DecomposerName: ExpressibleByArgument {}
extension ScoreOptions.JudgeName: ExpressibleByArgument {}
extension AlignmentMethod: ExpressibleByArgument {}
extension Compatibility: ExpressibleByArgument {}
