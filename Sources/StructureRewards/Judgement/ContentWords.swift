/// The words of a text that carry meaning: no numbers, no function words.
enum ContentWords {
    /// As stems, with repetitions.
    static func stems(in units: [TextUnit]) -> [String] {
        units.compactMap { unit in
            guard case .word(let stem) = unit, !FunctionWords.contains(stem) else { return nil }
            return stem
        }
    }

    /// As concepts, with repetitions.
    static func concepts(in units: [TextUnit]) -> [String] {
        stems(in: units).map(Concept.of)
    }

    /// In lower case as written, without repetitions and without single letters, which name variables or multiply.
    static func surface(in text: String) -> [String] {
        var seen: Set<String> = []
        return text.split { !$0.isLetter && $0 != "'" && $0 != "’" }.compactMap { word in
            let lower = word.lowercased()
            let stems = Self.stems(in: TextUnit.all(in: lower))
            guard let stem = stems.first, stem.count > 1, seen.insert(stem).inserted else { return nil }
            return lower
        }
    }
}
