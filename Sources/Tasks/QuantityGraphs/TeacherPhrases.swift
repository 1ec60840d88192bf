/// The teacher's wording. Operators stand before their operands:
/// `Need e Prod a,g. Find a Diff 5,6. Thus a Diff 5,6, giving a10. … Now Prod a10,g4, hence e7. Answer 7`
enum TeacherPhrases {
    /// An opening step is lead, name, operator, operand, comma, operand, separator.
    struct Opening: Sendable {
        var lead: String
    }

    /// A solving step is lead, the name where it comes first, operator, operand, comma, operand, link, name, value, separator;
    /// an operand is a constant, or a name and its value.
    struct Solving: Sendable {
        var lead: String
        var namesFirst: Bool
        var link: String
    }

    static let openings = [Opening(lead: "Need "), Opening(lead: "Find "), Opening(lead: "Look up ")]
    static let solvings = [
        Solving(lead: "Thus ", namesFirst: true, link: ", giving "),
        Solving(lead: "Now", namesFirst: false, link: ", hence "),
        Solving(lead: "Work out", namesFirst: false, link: ", making "),
    ]
    static let separator = ". "
    static let answer = "Answer "

    static func word(for operation: QuantityOperator) -> String {
        switch operation {
        case .plus: " Sum "
        case .minus: " Diff "
        case .times: " Prod "
        }
    }
}
