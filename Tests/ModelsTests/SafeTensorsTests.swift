import Files
import Foundation
import Models
import Testing

struct SafeTensorsTests {
    /// Writes a file from a header and data.
    static func file(_ header: String, data: [UInt8] = [], length: UInt64? = nil, in directory: URL) throws -> URL {
        let url = directory.appending(path: "model.safetensors")
        var bytes = withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { Array($0) }
        bytes += header.utf8
        bytes += data
        try Data(bytes).write(to: url)
        return url
    }

    @Test func everyFormatIsConverted() throws {
        // 1, -2, 65504 or 3.39e38, smallest subnormal, infinity, in the bytes of each format.
        let halves: [UInt16] = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00]
        let brains: [UInt16] = [0x3f80, 0xc000, 0x7f7f, 0x0001, 0xff80]
        let singles: [Float] = [1, -2, 3.25, .leastNonzeroMagnitude, -.infinity]
        var data: [UInt8] = []
        for value in halves + brains { withUnsafeBytes(of: value.littleEndian) { data += $0 } }
        for value in singles { withUnsafeBytes(of: value.bitPattern.littleEndian) { data += $0 } }
        let header = """
            {"h":{"dtype":"F16","shape":[5],"data_offsets":[0,10]},"s":{"dtype":"F32","shape":[1,5],"data_offsets":[20,40]},\
            "b":{"dtype":"BF16","shape":[5,1],"data_offsets":[10,20]},"__metadata__":{"format":"pt","x":"y"},\
            "none":{"dtype":"F32","shape":[0,7],"data_offsets":[40,40]}}
            """
        try HuggingFaceFixture.withDirectory { directory in
            let file = try SafeTensors(url: Self.file(header, data: data, in: directory))
            #expect(file.tensors.map(\.name) == ["h", "b", "s", "none"])
            #expect(file["s"]?.shape == [1, 5])
            #expect(file["absent"] == nil)
            #expect(try file.values("h") == [1, -2, 65504, 0x1p-24, .infinity])
            #expect(
                try file.values("b") == [
                    1, -2, Float(bitPattern: 0x7f7f_0000), Float(bitPattern: 0x0001_0000), -.infinity,
                ])
            #expect(try file.values("s") == singles)
            #expect(try file.values("none") == [])
            #expect(throws: FormatError.self) { try file.values("absent") }
        }
    }

    /// Each lie, and what the error must name.
    @Test(arguments: [
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "a"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "a"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#, "a"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, "a"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#, "a"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}"#, "a.data_offsets"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8.0]}}"#, "a.data_offsets[1]"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,99999999999999999999]}}"#, "a.data_offsets[1]"),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[9223372036854775803,9223372036854775807]}}"#, "a"
        ),
        (#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, "a"),
        (#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}"#, "a"),
        (#"{"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,8]}}"#, "a"),
        (#"{"a":{"dtype":"F32","shape":[0,-1],"data_offsets":[0,0]}}"#, "a"),
        (#"{"a":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}}"#, "a"),
        (#"{"a":{"dtype":"F4","shape":[16],"data_offsets":[0,8]}}"#, "a"),
        (#"{"a":{"dtype":"f32","shape":[2],"data_offsets":[0,8]}}"#, "a"),
        (#"{"a":{"dtype":3,"shape":[1],"data_offsets":[0,8]}}"#, "a.dtype"),
        (#"{"a":{"shape":[1],"data_offsets":[0,8]}}"#, "a.dtype"),
        (#"{"a":{"dtype":"F32","data_offsets":[0,8]}}"#, "a.shape"),
        (#"{"a":{"dtype":"F32","shape":[2]}}"#, "a.data_offsets"),
        (#"{"a":[]}"#, "a.dtype"),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
            "b"
        ),
        (
            #"{"a":{"dtype":"F16","shape":[3],"data_offsets":[0,6]},"b":{"dtype":"F16","shape":[2],"data_offsets":[4,8]}}"#,
            "b"
        ),
        (
            #"{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"b":{"dtype":"F16","shape":[2],"data_offsets":[4,8]}}"#,
            "b"
        ),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "header"),
        (#"{}"#, "header"),
        (#"{"__metadata__":{"a":1}}"#, "__metadata__.a"),
        (#"[]"#, "header"),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
            "line"
        ),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#, "line"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} x"#, "line"),
        ("not JSON", "line"),
    ])
    func liesAreRefusedByName(header: String, field: String) throws {
        try HuggingFaceFixture.withDirectory { directory in
            let url = try Self.file(header, data: Array(repeating: 0, count: 8), in: directory)
            let error = try #require(throws: FormatError.self) { try SafeTensors(url: url) }
            #expect(error.file == url.path)
            #expect(field == "line" ? error.field.hasPrefix("line") : error.field == field, "\(error)")
            #expect(field != "line" || error.reason.contains("JSON"))
        }
    }

    /// Headers that are short as text and long in memory.
    @Test func headersOfAMillionValuesAreRefused() throws {
        let half = (1 << 19) + 1
        let hostile = [
            "{\"a\":[" + String(repeating: "0,", count: 2 * half) + "0]}",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":["
                + String(repeating: "[],", count: 2 * half) + "0]}}",
            "{\"__metadata__\":{" + (0...2 * half).map { "\"\($0)\":0" }.joined(separator: ",") + "}}",
        ]
        try HuggingFaceFixture.withDirectory { directory in
            for header in hostile {
                let url = try Self.file(header, in: directory)
                let error = try #require(throws: FormatError.self) { try SafeTensors(url: url) }
                #expect(error.file == url.path)
                #expect(error.reason == "not JSON: more values than a file of its kind has")
            }
            // As many as a shape may have, and more.
            for rank in [64, 65, 100_000] {
                let shape = "[" + String(repeating: "1,", count: rank - 1) + "0]"
                let url = try Self.file(
                    "{\"a\":{\"dtype\":\"U8\",\"shape\":\(shape),\"data_offsets\":[0,0]}}", in: directory)
                guard rank > 64 else {
                    #expect(try SafeTensors(url: url)["a"]?.shape.count == rank)
                    continue
                }
                let error = try #require(throws: FormatError.self) { try SafeTensors(url: url) }
                #expect(error.field == "a.shape")
                #expect(error.reason == "has \(rank) elements; it may have 64")
            }
        }
    }

    @Test func lengthsThatCannotBeAreRefused() throws {
        try HuggingFaceFixture.withDirectory { directory in
            for length: UInt64 in [3, 100, 100_000_001, .max, 1 << 63] {
                let url = try Self.file("{}", length: length, in: directory)
                #expect(throws: FormatError.self) { try SafeTensors(url: url) }
            }
            let url = directory.appending(path: "short")
            for count in 0..<8 {
                try Data(repeating: 0, count: count).write(to: url)
                #expect(throws: FormatError.self) { try SafeTensors(url: url) }
            }
            #expect(throws: FormatError.self) { try SafeTensors(url: directory) }
            #expect(throws: FormatError.self) { try SafeTensors(url: directory.appending(path: "absent")) }
            let nested = String(repeating: "[", count: 100_000)
            #expect(throws: FormatError.self) { try SafeTensors(url: Self.file("{\"a\":" + nested, in: directory)) }
        }
    }

    /// A file may hold what is no weight; only reading it is refused.
    @Test func otherFormatsAreListedAndNotRead() throws {
        let header = """
            {"mask":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]},"steps":{"dtype":"I64","shape":[],"data_offsets":[3,11]},\
            "w":{"dtype":"BF16","shape":[1],"data_offsets":[11,13]}}
            """
        try HuggingFaceFixture.withDirectory { directory in
            let url = try Self.file(header, data: Array(repeating: 0, count: 11) + [0x80, 0x3f], in: directory)
            let file = try SafeTensors(url: url)
            #expect(file.tensors.map(\.typeName) == ["BOOL", "I64", "BF16"])
            #expect(file["steps"]?.type == nil && file["steps"]?.byteCount == 8)
            #expect(try file.values("w") == [1])
            let error = try #require(throws: FormatError.self) { try file.values("steps") }
            #expect(error.file == url.path && error.field == "steps" && error.reason.contains("I64"))
        }
    }

    @Test func headersThatAreNotTextAreRefused() throws {
        let header = Array(#"{"a?":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#.utf8)
        for bytes: [UInt8] in [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x00]] {
            var damaged = header
            damaged.replaceSubrange(3..<4, with: bytes)
            let whole = withUnsafeBytes(of: UInt64(damaged.count).littleEndian) { Array($0) } + damaged
            try HuggingFaceFixture.withDirectory { directory in
                let url = directory.appending(path: "model.safetensors")
                try Data(whole + Array(repeating: 0, count: 8)).write(to: url)
                let error = try #require(throws: FormatError.self) { try SafeTensors(url: url) }
                #expect(error.file == url.path && error.reason.contains("JSON"), "\(bytes): \(error)")
            }
        }
    }

    @Test func namesAreToldApartByTheirBytes() throws {
        let header =
            "{\"\u{e9}\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]},"
            + "\"e\u{301}\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[2,4]}}"
        try HuggingFaceFixture.withDirectory { directory in
            let file = try SafeTensors(url: Self.file(header, data: [0, 0x3c, 0, 0x40], in: directory))
            #expect(try file.values("\u{e9}") == [1])
            #expect(try file.values("e\u{301}") == [2])
        }
    }

    @Test func whatIsWrittenIsRead() throws {
        let values = (0..<70_000).map { Float($0) * 0.37 - 1000 }
        try HuggingFaceFixture.withDirectory { directory in
            let url = directory.appending(path: "out.safetensors")
            try values.withUnsafeBufferPointer { buffer in
                let start = try #require(buffer.baseAddress)
                let sources = [
                    SafeTensors.Source(name: "second", shape: [3], values: start),
                    SafeTensors.Source(name: "first \"quoted\"", shape: [70, 1000], values: start),
                    SafeTensors.Source(name: "scalar", shape: [], values: start + 5),
                    SafeTensors.Source(name: "empty", shape: [0], values: start),
                ]
                try SafeTensors.write(sources, to: url)
                let file = try SafeTensors(url: url)
                #expect(file.tensors.map(\.name) == ["second", "first \"quoted\"", "scalar", "empty"])
                #expect(try file.metadata() == ["format": "pt"])
                #expect(try file.values("first \"quoted\"") == values)
                #expect(try file.values("scalar") == [values[5]])
                try SafeTensors.write(sources, to: url, as: .bfloat16)
                #expect(try file.values("first \"quoted\"") == values, "the open file is the old one")
                let rounded = try SafeTensors(url: url).values("first \"quoted\"")
                for (value, rounded) in zip(values, rounded) {
                    #expect(abs(rounded - value) <= abs(value) * 0x1p-8)
                    #expect(rounded.bitPattern & 0xffff == 0)
                }
                #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["out.safetensors"])
            }
        }
    }

    @Test func bfloat16IsRoundedToNearestTiesToEven() throws {
        let cases: [(UInt32, UInt32)] = [
            (0x3f80_0000, 0x3f80), (0x3f80_7fff, 0x3f80), (0x3f80_8000, 0x3f80), (0x3f80_8001, 0x3f81),
            (0x3f81_8000, 0x3f82), (0x7f7f_ffff, 0x7f80), (0xff80_0000, 0xff80), (0x0000_8001, 0x0001),
            (0x8000_0000, 0x8000),
        ]
        var values = cases.map { Float(bitPattern: $0.0) }
        values.append(Float(bitPattern: 0x7fff_ffff))
        try HuggingFaceFixture.withDirectory { directory in
            let url = directory.appending(path: "out.safetensors")
            try values.withUnsafeBufferPointer { buffer in
                let start = try #require(buffer.baseAddress)
                try SafeTensors.write([.init(name: "a", shape: [buffer.count], values: start)], to: url, as: .bfloat16)
            }
            let read = try SafeTensors(url: url).values("a")
            #expect(read.dropLast().map { $0.bitPattern >> 16 } == cases.map(\.1))
            #expect(read.last?.isNaN == true)
        }
    }

    @Test func aTargetThatCannotBeWrittenIsNamed() throws {
        try HuggingFaceFixture.withDirectory { directory in
            let url = directory.appending(path: "absent/out.safetensors")
            let error = try #require(throws: FileError.self) { try SafeTensors.write([], to: url) }
            #expect(error.file == url.path)
        }
    }
}
