import Foundation
import Testing

@testable import Training

@Suite struct NumberPlaceTests {
    private static func value(_ data: Data, _ path: [String]) -> Double? {
        var tree = try? JSONSerialization.jsonObject(with: data)
        for name in path {
            tree = (tree as? [String: Any])?[name] ?? Int(name).flatMap { index in (tree as? [Any])?[index] }
        }
        return tree as? Double
    }

    /// The key in a text that is refused for the number in any of some places.
    private static func key(_ text: String, number: String, refusing places: [[String]]) -> (key: String?, looks: Int) {
        var looks = 0
        let key = NumberPlace(number: number).key(in: Data(text.utf8)) { data in
            looks += 1
            return places.contains { value(data, $0) == Double(number) } ? number : nil
        }
        return (key, looks)
    }

    @Test func theFirstPlaceThatIsRefusedIsNamed() {
        let text = #"{"b": [1, 2.5, {"c": 2.5}], "a": 2.5, "d": {"e": 2.5}}"#
        #expect(Self.key(text, number: "2.5", refusing: [["a"]]).key == "a")
        #expect(Self.key(text, number: "2.5", refusing: [["b", "1"]]).key == "b.1")
        #expect(Self.key(text, number: "2.5", refusing: [["b", "2", "c"]]).key == "b.2.c")
        #expect(Self.key(text, number: "25e-1", refusing: [["d", "e"]]).key == "d.e")
        #expect(Self.key(text, number: "2.5", refusing: [["d", "e"], ["b", "1"]]).key == "b.1")
        #expect(Self.key(text, number: "7.5", refusing: [["a"]]).key == nil)
        #expect(Self.key(text, number: "2.5", refusing: []).key == nil)
        #expect(Self.key("{", number: "2.5", refusing: [["a"]]).key == nil)
    }

    /// A file of rollouts holds a hundred thousand numbers, and each look reads all of it.
    @Test func fewLooksFindIt() {
        let text = "[" + Array(repeating: "0.5", count: 3000).joined(separator: ",") + "]"
        for place in [0, 1, 1234, 2998, 2999] {
            let (key, looks) = Self.key(text, number: "0.5", refusing: [[String(place)]])
            #expect(key == String(place))
            #expect(looks < 20)
        }
    }
}
