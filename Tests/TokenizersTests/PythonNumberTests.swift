import Testing

@testable import Tokenizers

/// The filters `int` and `float` against Jinja on CPython 3.
struct PythonNumberTests {
    @Test(arguments: [
        ("' 42 '", "42", "42.0"), ("'1_000'", "1000", "1000.0"), ("'1__000'", "-", "-"), ("'_1'", "-", "-"),
        ("'1_'", "-", "-"), ("'+7'", "7", "7.0"), ("'-7'", "-7", "-7.0"), ("'- 7'", "-", "-"), ("'--7'", "-", "-"),
        ("'+-1'", "-", "-"), ("'0x10'", "-", "-"), ("'0x1p3'", "-", "-"), ("'0b1'", "-", "-"), ("'0o7'", "-", "-"),
        ("'1e3'", "1000", "1000.0"), ("'1E+2'", "100", "100.0"), ("'1e-3'", "0", "0.001"), ("'1e'", "-", "-"),
        ("'1_0.5_0'", "10", "10.5"), ("'1_.5'", "-", "-"), ("'1._5'", "-", "-"),
        ("'1e1_0'", "10000000000", "10000000000.0"),
        ("'1e_1'", "-", "-"), ("'1_e1'", "-", "-"), ("'.5'", "0", "0.5"), ("'5.'", "5", "5.0"), ("'+.5e1'", "5", "5.0"),
        ("'.'", "-", "-"), ("''", "-", "-"), ("' '", "-", "-"), ("'+'", "-", "-"), ("'inf'", "-", "inf"),
        ("'-Infinity'", "-", "-inf"), ("'infinit'", "-", "-"), ("'in_f'", "-", "-"), ("'NaN'", "-", "nan"),
        ("'1e400'", "-", "inf"), ("'٣'", "3", "3.0"), ("'１２'", "12", "12.0"), ("'٣.٥'", "3", "3.5"),
        ("'\u{a0}42\u{3000}'", "42", "42.0"), ("'1 2'", "-", "-"), ("'\\x1c7\\x1f'", "-", "-"), ("'\\x1c٣'", "-", "-"),
        ("'\\v7\\f'", "7", "7.0"), ("'007'", "7", "7.0"), ("'-0'", "0", "-0.0"), ("'1,000'", "-", "-"),
        ("'1d'", "-", "-"),
        ("'1\\x00'", "-", "-"), ("'½'", "-", "-"), ("'²'", "-", "-"), ("'−5'", "-", "-"),
        ("'9223372036854775807'", "9223372036854775807", "9.223372036854776e+18"),
        ("'-9223372036854775808'", "-9223372036854775808", "-9.223372036854776e+18"),
        ("'9' * 4301", "-", "inf"), ("'0' * 4300 ~ '5'", "5", "5.0"), ("-2.7", "-2", "-2.7"), ("true", "1", "1.0"),
        ("none", "-", "-"), ("[]", "-", "-"),
    ])
    func numbersAreThoseOfPython(source: String, integer: String, real: String) throws {
        let text = try ChatTemplateTests.render("{{ (\(source)) | int('-') }} {{ (\(source)) | float('-') }}")
        #expect(text == "\(integer) \(real)")
    }

    @Test func whatIsNoNumberHasADefault() throws {
        #expect(try ChatTemplateTests.render("{{ 'x' | int }} {{ 'x' | float }} {{ 'x' | float(5) }}") == "0 0.0 5")
        #expect(try ChatTemplateTests.render("{{ 'nan' | float | int }}") == "0")
    }

    @Test(arguments: ["{{ missing | int }}", "{{ missing | float }}", "{% set x = 'inf' %}{{ x | float | int }}"])
    func whatPythonRefusesIsRefused(source: String) {
        #expect(ChatTemplateTests.error(source)?.kind == .refused)
    }

    @Test(arguments: ["'9223372036854775808'", "'9' * 4300", "'1e30'"])
    func largerIntegersAreNotSupported(source: String) {
        #expect(ChatTemplateTests.error("{{ (\(source)) | int }}")?.kind == .unsupported)
    }
}
