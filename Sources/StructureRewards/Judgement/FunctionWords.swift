/// Words that tell nothing about which problem a text addresses, as stems.
enum FunctionWords {
    static func contains(_ stem: String) -> Bool { stems.contains(stem) }

    private static let stems: Set<String> = Set(
        """
        a an the of to in on at for from by with into as and or but if so then thus therefore hence that this these those
        there here it its he she they we you i his her their our your him them us me my is are was were be been being am do
        does did done has have had having will would can could should must how many much what which who whom whose
        when where why not no only also just very than both such some any all now next first second finally step let need
        find calculate determine compute get given know since because while after before during about
        """.split(whereSeparator: \.isWhitespace).map { WordStem.of(String($0)) })
}
