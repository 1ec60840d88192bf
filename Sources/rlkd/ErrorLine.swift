/// An error's text as one line that a terminal shows as it is.
enum ErrorLine {
    /// Characters at most; what stands in the middle of a longer text is left out.
    static let limit = 1000

    /// Control characters, which names and values in files can hold, come out escaped.
    static func format(_ text: String) -> String {
        let scalars = text.unicodeScalars
        // Of a file's worth of text no more than that is looked at.
        guard scalars.count > 2 * limit else { return shorten(escape(scalars[...])) }
        return shorten(escape(scalars.prefix(limit)) + "…" + escape(scalars.suffix(limit)))
    }

    private static func shorten(_ line: String) -> String {
        guard line.count > limit else { return line }
        // The end holds the reason, the start the file.
        return line.prefix(limit / 2) + " … " + line.suffix(limit / 2 - 3)
    }

    private static func escape(_ scalars: Substring.UnicodeScalarView) -> String {
        var line = ""
        for scalar in scalars {
            switch scalar {
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            default:
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator:
                    line += "\\u{" + String(scalar.value, radix: 16) + "}"
                default:
                    line.unicodeScalars.append(scalar)
                }
            }
        }
        return line
    }
}
