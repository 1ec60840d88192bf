import Files
import Foundation

/// The tensors of a directory's weights, in one file or in shards.
struct ShardedTensors {
    /// The file that holds each tensor.
    private(set) var files: [String: SafeTensors] = [:]
    /// The file to name where a tensor is in none.
    private let main: String

    init(_ directory: URL) throws {
        let single = directory.appending(path: HuggingFaceDirectory.weightsName)
        let index = directory.appending(path: HuggingFaceDirectory.indexName)
        if InputFile.isPresent(single) || !InputFile.isPresent(index) {
            main = single.path
            let file = try SafeTensors(url: single)
            for tensor in file.tensors { files[tensor.name] = file }
        } else {
            main = index.path
            try readShards(index: index, directory: directory)
        }
    }

    private mutating func readShards(index: URL, directory: URL) throws {
        let json = try JSONField(contentsOf: index)
        var shards: [String: SafeTensors] = [:]
        for (name, field) in try json["weight_map"].members() {
            let shardName = try field.string()
            // A name with a folder could lead out of the directory.
            guard !shardName.isEmpty, !shardName.contains("/"), shardName != "." && shardName != ".." else {
                throw field.failure("\"\(shardName)\" is no file name")
            }
            let shard = try shards[shardName] ?? SafeTensors(url: directory.appending(path: shardName))
            shards[shardName] = shard
            guard shard[name] != nil else {
                throw FormatError(
                    file: shard.file, field: name,
                    reason: "the tensor is missing, but \(index.lastPathComponent) puts it here")
            }
            files[name] = shard
        }
        for shard in shards.values {
            for tensor in shard.tensors where files[tensor.name] !== shard {
                throw FormatError(
                    file: shard.file, field: tensor.name,
                    reason: "\(index.lastPathComponent) does not put the tensor here")
            }
        }
    }

    /// Throws `FormatError` where no file holds the tensor.
    func file(of name: String) throws -> SafeTensors {
        guard let file = files[name] else {
            throw FormatError(file: main, field: name, reason: "the tensor is missing")
        }
        return file
    }
}
