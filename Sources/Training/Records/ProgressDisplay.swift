import Files
import Foundation
import Logging

/// Live progress on standard error: a few lines redrawn in place on a terminal, now and then a log line elsewhere.
final class ProgressDisplay {
    private let isTerminal =
        isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"].map { $0 != "dumb" } ?? false
    private let logger: Logger
    private var lastShown = ContinuousClock.now - .seconds(60)
    private var block = ProgressBlock()

    init(logger: Logger) {
        self.logger = logger
    }

    deinit {
        endLine()
    }

    /// Shows `text` unless something was shown a moment ago; the last of a phase is always shown.
    ///
    /// - Parameter text: fields with two spaces between them.
    func show(_ text: String, isLast: Bool) {
        let pause: Duration = isTerminal ? .milliseconds(200) : .seconds(10)
        guard isLast || ContinuousClock.now - lastShown >= pause else { return }
        lastShown = .now
        if isTerminal {
            write(block.frame(text, columns: columns))
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

    private func endLine() {
        if block.isOpen { write("\n") }
        block.close()
    }

    /// Of the terminal as it is now; it may have been resized.
    private var columns: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    private func write(_ text: String) {
        StandardError.write(text)
    }
}
