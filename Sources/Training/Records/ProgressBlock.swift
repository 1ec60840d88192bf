/// Fields laid out over as many rows of a terminal as they need, each frame drawn over the one before.
///
/// A field keeps the width of its widest value, so that nothing jumps. A frame is one text without clearing first, so that
/// nothing flickers. When the terminal has been made narrower in between, it has folded the rows of the last frame: the next
/// one starts where their first now stands, and clears what is left of them.
struct ProgressBlock {
    /// Between fields, here and in the text that they come in.
    static let separator = "  "

    private var widths: [Int] = []
    /// Characters of the rows on the terminal; empty where there are none.
    private var drawn: [Int] = []

    var isOpen: Bool { !drawn.isEmpty }

    /// What to write to show `text` on a terminal of so many columns.
    mutating func frame(_ text: String, columns: Int) -> String {
        let columns = max(2, columns)
        let rows = layOut(text.split(separator: Self.separator).map(String.init), columns: columns)
        let height = drawn.reduce(0) { $0 + max(1, ($1 + columns - 1) / columns) }
        let start = height > 1 ? "\r\u{1B}[\(height - 1)A" : "\r"
        drawn = rows.map(\.count)
        return start + rows.joined(separator: "\u{1B}[K\n") + "\u{1B}[J"
    }

    /// Leaves what is drawn where it is; the next frame is a new one.
    mutating func close() {
        drawn = []
        widths = []
    }

    private mutating func layOut(_ fields: [String], columns: Int) -> [String] {
        if widths.count != fields.count { widths = fields.map(\.count) }
        var rows: [String] = []
        for (index, field) in fields.enumerated() {
            widths[index] = max(widths[index], field.count)
            let isLast = index == fields.count - 1
            let padded = field + String(repeating: " ", count: isLast ? 0 : widths[index] - field.count)
            // The last column stays free: a full row would already wrap on some terminals.
            if let row = rows.last, row.count + Self.separator.count + padded.count < columns {
                rows[rows.count - 1] = row + Self.separator + padded
            } else {
                rows.append(String(padded.prefix(columns - 1)))
            }
        }
        return rows
    }
}
