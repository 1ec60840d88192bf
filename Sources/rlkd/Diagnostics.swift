import Logging

/// Where diagnostics go: standard error.
enum Diagnostics {
    static let logger = Logger(label: "rlkd") { label in StreamLogHandler.standardError(label: label) }
}
