/// A word without the commonest English endings, so that "sells", "selling" and "sell" are one.
enum WordStem {
    /// - Parameter word: in lower case.
    static func of(_ word: String) -> String {
        guard word.utf8.count > 3, word.utf8.allSatisfy({ (0x61...0x7a).contains($0) }) else { return word }
        var letters = Array(word.utf8)
        func ends(_ suffix: String) -> Bool {
            letters.count > suffix.utf8.count && letters.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
        }
        if ends("ies"), letters.count > 4 {
            letters.removeLast(3)
            letters.append(UInt8(ascii: "y"))
        } else if ends("sses") || ends("shes") || ends("ches") || ends("xes") {
            letters.removeLast(2)
        } else if ends("s"), !ends("ss"), !ends("us"), !ends("is") {
            letters.removeLast()
        }
        if ends("ing"), letters.count > 5 {
            letters.removeLast(3)
            undouble(&letters)
        } else if ends("ied"), letters.count > 4 {
            letters.removeLast(3)
            letters.append(UInt8(ascii: "y"))
        } else if ends("ed"), letters.count > 4 {
            letters.removeLast(2)
            undouble(&letters)
        }
        if letters.count > 3, letters.last == UInt8(ascii: "e") { letters.removeLast() }
        return String(decoding: letters, as: UTF8.self)
    }

    /// "stopp" to "stop", but "sell" stays.
    private static func undouble(_ letters: inout [UInt8]) {
        guard letters.count > 3, let last = letters.last, letters[letters.count - 2] == last else { return }
        if last != UInt8(ascii: "l"), last != UInt8(ascii: "s") { letters.removeLast() }
    }
}
