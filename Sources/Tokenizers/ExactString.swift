/// A string that equals another only when their UTF-8 does.
///
/// Swift's `String` compares by canonical equivalence, under which two tokens such as `é` in one scalar and in two
/// would be one.
package struct ExactString: Hashable, Sendable {
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    package static func == (left: ExactString, right: ExactString) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        for byte in text.utf8 {
            hasher.combine(byte)
        }
    }
}
