import Trajectories

/// A sequence of problems that is made as it is read: element i depends on the configuration, the kind of set and i alone.
public struct QuantityGraphSet: RandomAccessCollection, Sendable {
    /// What a set is for.
    public enum Kind: UInt64, Sendable, CaseIterable {
        /// Small problems with sloppy traces in the student's notation.
        case base
        /// The arms' problems with the teacher's traces.
        case training
        /// Held out for the choice of settings, as large as in training.
        case validation
        /// Held out, as large as in training.
        case same
        /// Held out, larger.
        case larger
        /// Held out for the choice of settings, larger.
        case largerValidation

        public var split: DataSplit {
            switch self {
            case .base, .training: .training
            case .validation, .largerValidation: .validation
            case .same, .larger: .test
            }
        }
    }

    public let configuration: QuantityGraphConfiguration
    public let kind: Kind
    public let endIndex: Int
    public var startIndex: Int { 0 }

    /// Throws `QuantityGraphConfigurationError` naming the field that is impossible.
    public init(
        _ kind: Kind, count: Int, configuration: QuantityGraphConfiguration
    ) throws(QuantityGraphConfigurationError) {
        try configuration.validate()
        guard count >= 1 else {
            throw QuantityGraphConfigurationError(field: "\(kind)", reason: "\(count) problems are not one usable row")
        }
        self.configuration = configuration
        self.kind = kind
        endIndex = count
    }

    /// Sizes take turns.
    public subscript(index: Int) -> QuantityGraphProblem {
        let sizes = sizes
        let size = sizes.lowerBound + index % sizes.count
        var generator = SplitMixGenerator(keys: configuration.seed, kind.rawValue, UInt64(index))
        var graph: QuantityGraph
        repeat {
            graph = QuantityGraph.random(
                size: size, definitions: definitions(using: &generator), names: configuration.names,
                modulus: configuration.modulus,
                using: &generator)
        } while graph.split != kind.split

        let trace =
            if kind == .base {
                QuantityGraphNotation.student.text(
                    of: graph.sloppyPath(digression: configuration.digression, using: &generator), in: graph,
                    using: &generator)
            } else {
                configuration.teacherNotation.notation.text(of: graph.teacherPath(), in: graph, using: &generator)
            }
        let problem = Problem(
            id: "quantities-\(configuration.seed)-\(kind)-\(index)", question: graph.questionText,
            answer: String(graph.answer), traces: [TeacherTrace(text: trace)])
        return QuantityGraphProblem(
            graph: graph, problem: problem,
            completionLimit: CompletionLimit(graph: graph, slackSteps: configuration.slackSteps))
    }

    private func definitions(using generator: inout SplitMixGenerator) -> Int {
        guard kind == .base else { return configuration.definitions }
        let range = configuration.baseDefinitions
        return range.lowerBound + generator.index(below: range.count)
    }

    private var sizes: ClosedRange<Int> {
        switch kind {
        case .base: configuration.baseSizes
        case .training, .validation, .same: configuration.sizes
        case .larger, .largerValidation: configuration.largerSizes
        }
    }
}
