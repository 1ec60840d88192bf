/// Everyday words for one thing in word problems, so that "the price of the pen" and "what the pen costs" share a concept.
enum Concept {
    /// The concept of a stem: the first word of its class, or the stem itself.
    static func of(_ stem: String) -> String { classes[stem] ?? stem }

    private static let table = """
        money dollar cent cost price pay paid spend spent charge fee bill worth expense expensive value budget afford fund cash
        earn earned make made income profit revenue wage salary proceeds gain
        total altogether sum combine overall entire whole together
        left leave remain remainder rest still remaining leftover
        more additional extra difference fewer less further
        buy bought purchase order
        sell sold sale
        age old older young younger birthday
        distance far mile kilometer meter foot feet travel drive drove ride rode walk run ran
        speed fast faster rate mph pace
        time hour minute second long duration
        weight weigh heavy pound ounce kilogram ton gram
        length long tall height high foot feet inch
        receive got gotten getting obtain collect
        eat ate eaten consume
        percent percentage fraction portion ratio proportion part
        number count amount quantity
        child children kid boy girl son daughter
        person people man men woman women guest student
        average mean
        save saving discount off
        """

    private static let classes: [String: String] = {
        var classes: [String: String] = [:]
        for line in table.split(separator: "\n") {
            let stems = line.split(separator: " ").map { WordStem.of(String($0)) }
            guard let first = stems.first else { continue }
            for stem in stems where classes[stem] == nil { classes[stem] = first }
        }
        return classes
    }()
}
