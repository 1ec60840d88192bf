import Files
import Foundation
import TestSupport
import Testing

@testable import Tokenizers

/// Chat templates against transformers (Tools/fixtures/chat_template_cases.py).
struct ChatTemplateTests {
    static func render(
        _ source: String, _ variables: [String: JSONValue] = [:]
    ) throws(ChatTemplateError) -> String {
        try ChatTemplate(source).render(messages: [], addGenerationPrompt: false, variables: variables)
    }

    static func error(_ source: String) -> ChatTemplateError? {
        do throws(ChatTemplateError) {
            _ = try render(source)
            return nil
        } catch {
            return error
        }
    }

    private static func variables(_ field: JSONField) throws -> [String: JSONValue] {
        Dictionary(uniqueKeysWithValues: try field.members().map { ($0.name, $0.field.value) })
    }

    @Test func templatesGiveTheTextOfJinja() throws {
        let file = try Fixture.json("templates.json")
        let variables = try Self.variables(file["variables"])
        var unsupported = 0
        for row in try file["cases"].elements() {
            let parts = try row.elements()
            let source = try parts[0].string()
            do throws(ChatTemplateError) {
                let text = try Self.render(source, variables)
                guard case .string(let expected) = parts[1].value else {
                    Issue.record("\(source) gives \(text.debugDescription), and should fail")
                    continue
                }
                #expect(text.utf8.elementsEqual(expected.utf8), "\(source) gives \(text), not \(expected)")
            } catch {
                #expect(error.line >= 1 && error.column >= 1 && !error.reason.isEmpty)
                guard case .string(let expected) = parts[1].value else { continue }
                #expect(error.kind == .unsupported, "\(source): \(error), not \(expected)")
                unsupported += 1
            }
        }
        #expect(unsupported < 20)
    }

    @Test(.enabled(if: Fixture.hasTemplates, "the shared data with chat templates is absent"))
    func conversationsGiveTheTextOfTransformers() throws {
        for (name, cases) in try Fixture.json("conversations.json").members() {
            let source = try String(contentsOf: Fixture.templates.appending(path: name), encoding: .utf8)
            let template = try ChatTemplate(source)
            for row in try cases.elements() {
                let tools = row["tools"].isNull ? nil : try row["tools"].elements().map(\.value)
                let text: String?
                do throws(ChatTemplateError) {
                    text = try template.render(
                        messages: (try? row["messages"].elements().map(\.value)) ?? [], tools: tools,
                        addGenerationPrompt: (try? row["addGenerationPrompt"].boolean(or: false)) ?? false,
                        variables: (try? Self.variables(row["variables"])) ?? [:])
                } catch {
                    #expect(error.kind == .refused, "\(name): \(error)")
                    text = nil
                }
                let expected = row["text"].isNull ? nil : try row["text"].string()
                #expect(text.map { Array($0.utf8) } == expected.map { Array($0.utf8) }, "\(name): \(row.value)")
            }
        }
    }

    /// Texts and ids that swift-transformers publishes.
    @Test(.enabled(if: Fixture.hasTemplates && Fixture.hasQwen, "the shared data is absent"))
    func conversationsOfOthersGiveTheirTextAndIDs() throws {
        let files = [
            "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B": "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja",
            "Qwen/Qwen3-0.6B": "Qwen-Qwen3-0.6B.jinja",
        ]
        let data = try Data(contentsOf: Fixture.templates.appending(path: "swift_transformers_expected.json"))
        let file = JSONField(file: "", value: try data.withUnsafeBytes { try JSONValue(parsing: $0, file: "") })
        var compared = 0
        for row in try file["cases"].elements() {
            // The third model's template is not among the files.
            guard let name = files[try row["model"].string()] else { continue }
            let source = try String(contentsOf: Fixture.templates.appending(path: name), encoding: .utf8)
            let text = try ChatTemplate(source).render(
                messages: row["messages"].elements().map(\.value), addGenerationPrompt: true,
                variables: ["bos_token": .string("<｜begin▁of▁sentence｜>")])
            if row["text"].isNull {
                let ids = try Fixture.qwenTokenizer.get().encode(
                    text, addSpecialTokens: false, matchesAddedTokens: true)
                #expect(try ids == row["ids"].elements().map { Int32(try $0.integer()) })
            } else {
                expectSame(text, try row["text"].string())
            }
            compared += 1
        }
        #expect(compared == 2)
    }

    @Test func whatIsNotSupportedIsNamedWithItsPlace() {
        let error = Self.error("a\n  {{ x | shuffle }}")
        #expect(error?.kind == .unsupported && error?.line == 2 && error?.column == 10)
        #expect(error?.reason.contains("shuffle") == true)
        for source in [
            "{% include 'x' %}", "{% raw %}{% endraw %}", "{{ x is callable }}", "{{ lipsum() }}", "{{ 2 ** 3 }}",
            "{{ 'a'.zfill(3) }}",
            "{% for x in y recursive %}{% endfor %}", "{{ f(*a) }}", "{{ [range] }}",
            "{% set x = [1] | map('string') %}",
            "{{ '%s' % 1 }}", "{{ 9223372036854775807 + 1 }}", "{{ 'a' | safe }}",
        ] {
            #expect(Self.error(source)?.kind == .unsupported, "\(source)")
        }
        #expect(Self.error("{{ raise_exception('roles alternate') }}")?.reason == "roles alternate")
    }

    /// Damaged templates are refused or rendered; nothing traps.
    @Test func damagedTemplatesNeverTrap() throws {
        let file = try Fixture.json("templates.json")
        let variables = try Self.variables(file["variables"])
        let symbols = Array("{}%()[]|.'\"-+ ,:=x1".unicodeScalars)
        var generator = SeededGenerator(seed: 7)
        for row in try file["cases"].elements() {
            var source = Array(try row.elements()[0].string().unicodeScalars)
            for _ in 0..<4 where !source.isEmpty {
                let place = Int(generator.next() % UInt64(source.count))
                switch generator.next() % 3 {
                case 0: source.remove(at: place)
                case 1: source[place] = symbols[Int(generator.next() % UInt64(symbols.count))]
                default: source.insert(contentsOf: source[place..<min(source.count, place + 6)], at: place)
                }
                _ = try? Self.render(String(String.UnicodeScalarView(source)), variables)
            }
        }
    }

    @Test func aDirectorysTemplateIsFound() throws {
        #expect(
            try ChatTemplate("{{ messages[0].reasoning_content }}").render(
                messages: [.object([.init(name: "thinking", value: .string("so")), .init(name: "x", value: .null)])],
                addGenerationPrompt: false) == "so")
        #expect(
            try ChatTemplate("{{ messages }}{{ add_generation_prompt }}{{ tools }}").render(
                messages: [.object([.init(name: "x", value: .null)])], addGenerationPrompt: true) == "[{}]TrueNone")
    }
}
