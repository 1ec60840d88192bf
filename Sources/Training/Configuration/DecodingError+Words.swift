extension DecodingError {
    /// The numbers of a type.
    static func range<Number: FixedWidthInteger>(of type: Number.Type) -> String {
        "\(Number.min) to \(Number.max)"
    }

    /// What a field of a JSON file takes that is decoded as a type, in words that are not the program's.
    static func kind(of type: any Any.Type) -> String {
        switch type {
        case is any FixedWidthInteger.Type: "a whole number"
        case is any BinaryFloatingPoint.Type: "a number"
        case is Bool.Type: "true or false"
        case is String.Type: "text"
        case is [Any].Type: "a list"
        case is [String: Any].Type: "an object of named values"
        default: "a value of its kind"
        }
    }
}
