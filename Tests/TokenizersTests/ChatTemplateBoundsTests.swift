import Foundation
import Synchronization
import Testing

@testable import Tokenizers

/// Templates come from anywhere: none may hang, or fill the memory or the stack.
struct ChatTemplateBoundsTests {
    /// Templates that would never end, or fill the memory or the stack.
    @Test(arguments: [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for a in range(99999) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for a in range(99999) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for a in range(99999) %}{% set ns.s = [ns.s] %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for a in range(90) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s=[1]) %}{% for a in range(90) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s | tojson }}",
        "{% set ns = namespace(s=[1], t=[1]) %}{% for a in range(90) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}"
            + "{% endfor %}{{ ns.s == ns.t }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "{{ 'x' * 999999999999 }}", "{{ range(10 * 1000000) }}",
        "{% set s = 'x' * 9999999 %}{{ s.replace('x', s) }}",
        "{% set s = 'x' * 9999999 %}{% for a in range(99) %}{{ s }}{% endfor %}",
        "{% set s = 'x' * 9999999 %}{{ [s, s, s] | join(s) }}",
        // Texts and lists that cost little to make, and much to look through a hundred thousand times.
        "{% set s = 'x' * 9999999 %}{% set t = 'x' * 9999999 %}{% for a in range(99999) %}{% if s < t %}{% endif %}{% endfor %}",
        "{% set s = 'x' * 9999999 %}{% for a in range(99999) %}{% if s in 'x' %}{% endif %}{% endfor %}",
        "{% set s = 'x' * 9999999 %}{% for a in range(99999) %}{% set t = s | int %}{% endfor %}",
        "{% set s = 'x' * 9999999 %}{% for a in range(99999) %}{% set t = s | upper %}{% endfor %}",
        "{% set s = 'x' * 9999999 %}{% for a in range(99999) %}{% set t = s | reverse %}{% endfor %}",
        "{% set s = 'x' * 9999999 %}{% for a in range(99999) %}{% set t = 'x'.find(s) %}{% endfor %}",
        "{% set s = 'x' * 9999999 %}{% for a in range(99999) %}{% set t = 'x'.strip(s) %}{% endfor %}",
        "{% set s = 'x' * 9999999 %}{% for a in range(99999) %}{% set t = {s: 1}[s] %}{% endfor %}",
        "{% set s = 'x' * 9999999 %}{% for a in range(99999) %}{% set t = {'y': 1}.get(s) %}{% endfor %}",
        "{% set s = 'x' * 9999999 %}{% for a in range(99999) %}{% set t = strftime_now(s) %}{% endfor %}",
        "{% set l = range(99999) %}{% for a in range(99999) %}{% set t = l | list %}{% endfor %}",
        "{% set l = range(99999) %}{% for a in range(99999) %}{% set t = l | reverse | list %}{% endfor %}",
        "{% set d = {\((0..<9999).map { "'k\($0)': 1" }.joined(separator: ","))} %}"
            + "{% for a in range(99999) %}{% set t = d | first %}{% endfor %}",
        "{{ " + String(repeating: "x", count: 5000) + " }}", String(repeating: "x", count: 1 << 20) + "x",
        "{{ " + String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 5000) + " }}",
        "{{ " + String(repeating: "not ", count: 5000) + "1 }}", "{{ " + String(repeating: "-", count: 5000) + "1 }}",
        "{{ 1" + String(repeating: " + 1", count: 5000) + " }}", "{{ x" + String(repeating: ".x", count: 5000) + " }}",
        "{{ 1" + String(repeating: " if 1 else 1", count: 5000) + " }}",
        String(repeating: "{% if 1 %}", count: 5000) + String(repeating: "{% endif %}", count: 5000),
        "{{ " + String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000) + " }}",
    ])
    func excessIsRefused(source: String) {
        #expect(ChatTemplateTests.error(source)?.kind == .excessive, "\(source.prefix(100))")
    }

    /// What loops that cost next to nothing go through a hundred thousand times.
    @Test(arguments: [
        // Names of dictionaries.
        "{% set d = {s: 1} %}LOOP{% set t = d | tojson %}END", "{% set d = {s: 1} %}LOOP{% set t = d | string %}END",
        "{% set d = {s: 1} %}LOOP{% set t = d == d %}END", "{% set d = {s: 1} %}LOOP{% set t = d in [d] %}END",
        "{% set d = {s: 1} %}LOOP{% set t = dict(d, a=1) %}END",
        "{% set d = {s: 1} %}LOOP{% set t = [d] | select('==', d) | list %}END",
        "{% set d = {s ~ 1: 1, s ~ 2: 1} %}LOOP{% set t = d | tojson(sort_keys=true) | length %}END",
        "{% set d = {MEMBERS} %}LOOP{% set t = dict(d) %}END",
        "{% set d = {MEMBERS} %}LOOP{% set t = namespace(d) %}END",
        "{% set d = {MEMBERS} %}LOOP{% set t = d.keys() %}END",
        "{% set d = {MEMBERS} %}LOOP{% set t = d | items | list %}END",
        // Texts.
        "LOOP{% set t = s == s %}END", "LOOP{% set t = s is in [s] %}END", "LOOP{% set t = s[::-1] %}END",
        "LOOP{% set t = s[0] %}END", "LOOP{% set t = s | length %}END", "LOOP{% set t = s.count('y') %}END",
        "LOOP{% set t = s.replace('y', '') %}END", "LOOP{% set t = s | capitalize %}END",
        "LOOP{% set t = s | float %}END",
        "LOOP{% set t = s | trim %}END", "LOOP{% set t = s | tojson %}END", "LOOP{% set t = [s] | string %}END",
        "LOOP{% set t = s ~ 1 %}END", "LOOP{% set t = s + '1' %}END", "LOOP{% set t = s * 1 %}END",
        "LOOP{% set t = [1, 1] | tojson(separators=(s, s)) %}END", "LOOP{% set t = [1, 1] | join(s) %}END",
        "LOOP{% set t = 'x' | indent(s, true) %}END", "LOOP{% set t = ('y' ~ s).startswith((s, s)) %}END",
        "{% set u = ('y' ~ s,) %}{% set u = u + u + u + u + u + u + u + u %}LOOP{% set t = s.startswith(u) %}END",
        "{% set u = ('y' ~ s,) %}{% set u = u + u + u + u + u + u + u + u %}LOOP{% set t = s.endswith(u) %}END",
        "LOOP{% set t = [{}] | map(attribute=s) | list %}END", "LOOP{% set t = [{}] | selectattr(s) | list %}END",
        // Lists.
        "LOOP{% set t = l == l %}END", "LOOP{% set t = -1 in l %}END", "LOOP{% set t = l[::-1] %}END",
        "LOOP{% set t = l + l %}END",
        "LOOP{% set t = l | string %}END", "LOOP{% set t = l | map('abs') | list %}END",
        "LOOP{% set t = l | select('odd') | list %}END",
        "LOOP{% set t = l | map(attribute=0) | list %}END",
        "{% set ns = namespace(l=[]) %}LOOP{% set ns.l = ns.l + [l | reverse | list] %}END",
        "{% set ns = namespace(s=[1], t=[1]) %}{% for a in range(90) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}"
            + "{% endfor %}{{ ns.s in [ns.t] }}",
        // Statements, parameters and targets.
        "LOOP" + String(repeating: "{% generation %}{% endgeneration %}", count: 9999) + "END",
        "{% macro f(\(names.joined(separator: ","))) %}{% endmacro %}LOOP{{ f() }}END",
        "{% macro f(\(names.joined(separator: ","))) %}{% endmacro %}"
            + "LOOP{{ f(\(names.reversed().map { $0 + "=1" }.joined(separator: ","))) }}END",
        "{% set u = l[:9999] %}LOOP{% set \(names.joined(separator: ",")) = u %}END",
    ])
    func workIsCounted(source: String) {
        let members = (0..<9999).map { "'k\($0)': 1" }.joined(separator: ",")
        let start = "{% set s = 'x' * 999999 %}{% set l = range(99999) %}"
        let body = source.replacing("LOOP", with: "{% for a in range(99999) %}").replacing("END", with: "{% endfor %}")
            .replacing("MEMBERS", with: members)
        #expect(ChatTemplateTests.error(start + body)?.kind == .excessive, "\(source.prefix(100))")
    }

    private static let names = (0..<9999).map { "a\($0)" }

    /// What makes many parts of one text, or one text of many parts, is refused before it has made all.
    @Test(arguments: [
        "{{ " + Array(repeating: "s", count: 300).joined(separator: "~") + " }}", "{{ ('y' * 9999999).split('y') }}",
        "{{ ('y' * 9999999).rsplit('y') }}", "{{ ('y ' * 4999999).split() }}", "{{ ('\\n' * 9999999).splitlines() }}",
        "{{ ('\\n' * 9999999) | indent }}", "{{ 'x' | indent(99999999, true) }}",
        "{{ [1] | map(attribute='.' * 9999999) | list }}",
        "{{ strftime_now('%D' * 4999999) }}", "{{ [s, s, s] | tojson }}", "{{ [s, s, s] | string }}",
        "{{ {s: s} | tojson }}", "{{ {s: s} | string }}",
    ])
    func partsAreCounted(source: String) {
        #expect(
            ChatTemplateTests.error("{% set s = 'x' * 9999999 %}" + source)?.kind == .excessive, "\(source.prefix(100))"
        )
    }

    /// Recursion that each bound alone would let grow too deep for the small stack of a thread.
    @Test(arguments: [
        "{% macro f() %}{{ f()" + String(repeating: " + ''", count: 147) + " }}{% endmacro %}{{ f() }}",
        "{% macro f(a=f()) %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% macro f() %}{% for i in [1] %}{% if 1 %}{% set x %}{{ f(f()) }}{% endset %}{% endif %}{% endfor %}{% endmacro %}{{ f() }}",
        "{% macro f() %}" + String(repeating: "{% for a in [1] %}", count: 30) + "{{ [[[[[[[[[[f()]]]]]]]]]] }}"
            + String(repeating: "{% endfor %}", count: 30) + "{% endmacro %}{{ f() }}",
        "{{ 'a' | map(" + String(repeating: "'map', ", count: 1500) + "'upper') | list }}",
    ])
    func recursionIsBounded(source: String) {
        #expect(Self.onSmallStack { ChatTemplateTests.error(source)?.kind } == .excessive, "\(source.prefix(100))")
    }

    /// The deepest that is let through leaves room.
    @Test(arguments: [
        "{{ ''" + String(repeating: " + ''", count: 147) + " ~ (ns.l | tojson) ~ (ns.l | string) ~ (ns.l == ns.l) }}",
        "{{ " + String(repeating: "[", count: 57) + String(repeating: "]", count: 57) + " ~ ns.l }}",
        "{% macro f(n) %}{{ f(n - 1) if n else ns.l }}{% endmacro %}{{ f(45) }}",
    ])
    func deepTemplatesAreRendered(source: String) {
        let start = "{% set ns = namespace(l=[]) %}{% for i in range(118) %}{% set ns.l = [ns.l] %}{% endfor %}"
        #expect(Self.onSmallStack { ChatTemplateTests.error(start + source) } == nil, "\(source.prefix(100))")
    }

    /// Runs `body` on a thread with the smallest stack that is promised to do; where it does not, the whole process ends.
    private static func onSmallStack<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result {
        let result = Mutex<Result?>(nil)
        let isDone = DispatchSemaphore(value: 0)
        let thread = Thread {
            let value = body()
            result.withLock { $0 = value }
            isDone.signal()
        }
        thread.stackSize = 512 << 10
        thread.start()
        isDone.wait()
        return result.withLock { $0! }
    }
}
