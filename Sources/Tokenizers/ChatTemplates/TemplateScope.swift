/// Variables of a template, of a turn of a loop or of a macro's call; what is set in one is not seen outside.
final class TemplateScope {
    private var values: [String: TemplateValue]
    private let parent: TemplateScope?

    init(_ values: [String: TemplateValue] = [:], parent: TemplateScope? = nil) {
        self.values = values
        self.parent = parent
    }

    subscript(name: String) -> TemplateValue? {
        get { values[name] ?? parent?[name] }
        set { values[name] = newValue }
    }
}
