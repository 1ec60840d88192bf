/// The name that was probably meant.
enum NearestName {
    static func nearest(to name: String, among candidates: [String]) -> String? {
        candidates.min {
            (distance(name.lowercased(), $0.lowercased()), $0) < (distance(name.lowercased(), $1.lowercased()), $1)
        }
    }

    /// Levenshtein's: insertions, deletions and replacements.
    static func distance(_ left: String, _ right: String) -> Int {
        let target = Array(right)
        var row = Array(0...target.count)
        for (index, character) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in target.enumerated() {
                let replaced = diagonal + (character == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, row[column + 1] + 1)
            }
        }
        return row[target.count]
    }
}
