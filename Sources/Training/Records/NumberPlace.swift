import Foundation

/// Finds which number of a JSON text a decoder could not use. Foundation tells the number, not where it stands.
struct NumberPlace {
    /// As the decoder gave it.
    let number: String

    /// Dotted path of the number without which the text decodes further; nil where there is none such.
    ///
    /// - Parameter problem: the number that a text still is refused for, if any.
    func key(in data: Data, problem: (Data) -> String?) -> String? {
        guard let value = Double(number), var tree = try? JSONSerialization.jsonObject(with: data) else { return nil }
        // One after the other, as several places may hold it and one field alone be refused.
        for path in paths(of: value, in: tree) {
            tree = Self.setting(0, at: path[...], in: tree)
            guard let changed = try? JSONSerialization.data(withJSONObject: tree) else { return nil }
            // Written anew it may look otherwise.
            if problem(changed).flatMap(Double.init) != value { return path.joined(separator: ".") }
        }
        return nil
    }

    private func paths(of value: Double, in tree: Any) -> [[String]] {
        switch tree {
        case let object as [String: Any]:
            object.sorted { $0.key < $1.key }.flatMap { name, member in
                paths(of: value, in: member).map { [name] + $0 }
            }
        case let list as [Any]:
            list.enumerated().flatMap { index, element in paths(of: value, in: element).map { [String(index)] + $0 } }
        case let number as NSNumber: number.doubleValue == value ? [[]] : []
        default: []
        }
    }

    private static func setting(_ value: Int, at path: ArraySlice<String>, in tree: Any) -> Any {
        guard let name = path.first else { return value }
        if var object = tree as? [String: Any], let member = object[name] {
            object[name] = setting(value, at: path.dropFirst(), in: member)
            return object
        }
        if var list = tree as? [Any], let index = Int(name) {
            list[index] = setting(value, at: path.dropFirst(), in: list[index])
            return list
        }
        return tree
    }
}
