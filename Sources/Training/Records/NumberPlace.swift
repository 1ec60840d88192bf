import Foundation

/// Finds which number of a JSON text a decoder could not use. Foundation tells the number, not where it stands.
struct NumberPlace {
    /// As the decoder gave it.
    let number: String

    /// Dotted path of the first place, names in alphabetical order, that holds the number and that the text is refused for; nil where
    /// there is none such.
    ///
    /// - Parameter problem: the number that a text still is refused for, if any.
    func key(in data: Data, problem: (Data) -> String?) -> String? {
        guard let value = Double(number), let tree = try? JSONSerialization.jsonObject(with: data) else { return nil }
        let places = Self.places(of: value, in: tree)
        /// Whether the text is refused as well with the number in its first places alone, and 0 in the others.
        func isRefused(keeping count: Int) -> Bool {
            var left = count
            let changed = Self.keeping(value, &left, in: tree)
            // Written anew it may look otherwise.
            return (try? JSONSerialization.data(withJSONObject: changed)).flatMap(problem).flatMap(Double.init) == value
        }
        guard isRefused(keeping: places.count), !isRefused(keeping: 0) else { return nil }
        // Several places may hold it, and few be refused: a file of rollouts has very many numbers.
        var (harmless, refused) = (0, places.count)
        while refused - harmless > 1 {
            let middle = (harmless + refused) / 2
            if isRefused(keeping: middle) { refused = middle } else { harmless = middle }
        }
        return places[refused - 1].joined(separator: ".")
    }

    private static func places(of value: Double, in tree: Any) -> [[String]] {
        switch tree {
        case let object as [String: Any]:
            object.sorted { $0.key < $1.key }.flatMap { name, member in
                places(of: value, in: member).map { [name] + $0 }
            }
        case let list as [Any]:
            list.enumerated().flatMap { index, element in places(of: value, in: element).map { [String(index)] + $0 } }
        case let number as NSNumber: number.doubleValue == value ? [[]] : []
        default: []
        }
    }

    /// - Parameter count: places that may still hold the value.
    private static func keeping(_ value: Double, _ count: inout Int, in tree: Any) -> Any {
        switch tree {
        case let object as [String: Any]:
            var changed = object
            for (name, member) in object.sorted(by: { $0.key < $1.key }) {
                changed[name] = keeping(value, &count, in: member)
            }
            return changed
        case let list as [Any]: return list.map { keeping(value, &count, in: $0) }
        case let number as NSNumber:
            guard number.doubleValue == value else { return number }
            count -= 1
            return count >= 0 ? number : 0
        default: return tree
        }
    }
}
