import Foundation
import Logging

/// Live progress on standard error: one line rewritten on a terminal, now and then a log line elsewhere.
final class ProgressDisplay {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let logger: Logger
    private var lastShown = ContinuousClock.now - .seconds(60)
    private var isLineOpen = false

    init(logger: Logger) {
        self.logger = logger
    }

    /// Shows `text` unless something was shown a moment ago; the last of a phase is always shown.
    func show(_ text: String, isLast: Bool) {
        let pause: Duration = isTerminal ? .milliseconds(200) : .seconds(10)
        guard isLast || ContinuousClock.now - lastShown >= pause else { return }
        lastShown = .now
        if isTerminal {
            write("\r\u{1B}[2K" + text)
            isLineOpen = true
            if isLast { endLine() }
        } else {
            logger.info("\(text)")
        }
    }

    /// A line that stays.
    func note(_ text: String) {
        endLine()
        logger.info("\(text)")
    }

    func endLine() {
        if isLineOpen { write("\n") }
        isLineOpen = false
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
