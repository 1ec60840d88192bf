/// A path and its question, keyed by their content byte by byte (a `String` alone would take canonically equal texts for one).
struct ContentKey: Sendable, Hashable {
    var text: String
    var question: String?

    static func == (left: ContentKey, right: ContentKey) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
            && (left.question == nil) == (right.question == nil)
            && (left.question ?? "").utf8.elementsEqual((right.question ?? "").utf8)
    }

    func hash(into hasher: inout Hasher) {
        Self.feed(text, to: &hasher)
        Self.feed(question ?? "", to: &hasher)
    }

    private static func feed(_ text: String, to hasher: inout Hasher) {
        var copy = text
        copy.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)
    }
}
