import Testing

@testable import Training

@Suite struct ProgressBlockTests {
    private static let text =
        "rlkd 9/30  reward 8.13  accuracy 0.05  structure 0.01  10421 tok/s  staleness 1.00  gen 40% score 2% learn 59% idle 0%  "
        + "ETA 0:02"
    private static let wider = text.replacing("9/30", with: "10/30").replacing("8.13", with: "11.83")

    @Test(arguments: [20, 40, 80, 120, 200]) func everyFieldIsShownInTheWidthThereIs(columns: Int) {
        var terminal = Terminal(columns: columns)
        var block = ProgressBlock()
        terminal.write("note\n")
        for text in [Self.text, Self.wider, Self.text] {
            terminal.write(block.frame(text, columns: columns))
            #expect(terminal.rows.first == "note")
            let words = terminal.rows.dropFirst().joined(separator: " ").split(separator: " ")
            let expected = text.split(separator: " ")
            if columns >= 40 { #expect(words == expected) }
            #expect(terminal.rows.allSatisfy { $0.count < columns })
        }
    }

    @Test func valuesThatGrowMoveNothingTwice() {
        var block = ProgressBlock()
        _ = block.frame(Self.wider, columns: 200)
        let wide = block.frame(Self.wider, columns: 200)
        let narrow = block.frame(Self.text, columns: 200)
        for field in ["accuracy", "structure", "tok/s", "ETA"] {
            #expect(wide.firstRange(of: field)?.lowerBound == narrow.firstRange(of: field)?.lowerBound)
        }
    }

    /// The terminal folds the rows of the last frame; nothing of them is left behind.
    @Test func resizingLeavesNothingBehind() {
        for (before, after) in [(120, 80), (80, 120), (120, 40), (40, 120), (80, 79)] {
            var terminal = Terminal(columns: before)
            var block = ProgressBlock()
            terminal.write("note\n")
            terminal.write(block.frame(Self.text, columns: before))
            terminal.resize(columns: after)
            terminal.write(block.frame(Self.wider, columns: after))
            var fresh = Terminal(columns: after)
            var other = ProgressBlock()
            fresh.write("note\n" + other.frame(Self.wider, columns: after))
            #expect(terminal.rows == fresh.rows, "\(before) to \(after)")
        }
    }

    @Test func aClosedBlockStays() {
        var terminal = Terminal(columns: 80)
        var block = ProgressBlock()
        terminal.write(block.frame(Self.text, columns: 80) + "\n")
        block.close()
        #expect(!block.isOpen)
        let rows = terminal.rows
        terminal.write(block.frame("sft 1/2  loss 1", columns: 80))
        #expect(terminal.rows == rows + ["sft 1/2  loss 1"])
    }
}

/// As much of a terminal as progress uses; it folds rows that are wider than it is, as tmux and others do.
private struct Terminal {
    private(set) var columns: Int
    private var lines: [[Character]] = [[]]
    private var row = 0
    private var column = 0

    init(columns: Int) {
        self.columns = columns
    }

    /// Without the spaces at their ends.
    var rows: [String] {
        lines.map { String($0.reversed().drop { $0 == " " }.reversed()) }.reversed().drop { $0.isEmpty }.reversed()
    }

    mutating func resize(columns: Int) {
        self.columns = columns
        var folded: [[Character]] = []
        for line in lines {
            var rest = line[...]
            repeat {
                folded.append(Array(rest.prefix(columns)))
                rest = rest.dropFirst(columns)
            } while !rest.isEmpty
        }
        lines = folded
        row = lines.count - 1
        column = lines[row].count
    }

    mutating func write(_ text: String) {
        var rest = Array(text.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\r": column = 0
            case "\n":
                row += 1
                column = 0
                if row == lines.count { lines.append([]) }
            case "\u{1B}":
                _ = rest.popFirst()
                var number = 0
                while let digit = rest.first.flatMap({ Int(String($0)) }) {
                    number = number * 10 + digit
                    _ = rest.popFirst()
                }
                switch rest.popFirst() {
                case "A": row -= max(1, number)
                case "K": lines[row] = Array(lines[row].prefix(column))
                case "J":
                    lines[row] = Array(lines[row].prefix(column))
                    lines.removeSubrange((row + 1)...)
                default: Issue.record("an unknown control")
                }
            default:
                while lines[row].count <= column { lines[row].append(" ") }
                lines[row][column] = Character(scalar)
                column += 1
            }
        }
    }
}
