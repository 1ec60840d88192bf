extension TrainingRun {
    /// The checked configuration and what it comes to, for `--dry-run`: everything is read, nothing is written.
    public func describe() throws -> String {
        try configuration.validate()
        let material = try RunMaterial(configuration, logger: logger)
        let count = material.student.layout.parameterCount
        let tests = material.task.tests.map { "\($0.problems.count) \($0.name)" }.joined(separator: ", ")
        return """
            \(try configuration.yaml())
            # student: \(count) parameters, vocabulary \(material.student.configuration.vocabularySize)
            # training problems: \(material.task.training.count); test problems: \(tests); rows dropped: \(material.task.dropped)
            \(material.need.table.split(separator: "\n").map { "# \($0)" }.joined(separator: "\n"))
            """
    }
}
