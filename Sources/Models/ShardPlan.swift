import Foundation

/// Which file each tensor goes into.
struct ShardPlan {
    /// model.safetensors.index.json.
    struct Index: Encodable {
        struct Metadata: Encodable {
            let totalSize: Int

            private enum CodingKeys: String, CodingKey {
                case totalSize = "total_size"
            }
        }

        let metadata: Metadata
        let weightMap: [String: String]

        private enum CodingKeys: String, CodingKey {
            case metadata
            case weightMap = "weight_map"
        }
    }

    private(set) var files: [(name: String, tensors: [SafeTensors.Source])] = []
    /// Nil where one file holds all.
    private(set) var index: Index?

    init(_ tensors: [SafeTensors.Source], type: SafeTensors.DataType, limit: Int) {
        var shards: [[SafeTensors.Source]] = [[]]
        var size = 0
        for tensor in tensors {
            let bytes = tensor.count * type.byteCount
            if size + bytes > limit, !shards[shards.count - 1].isEmpty {
                shards.append([])
                size = 0
            }
            shards[shards.count - 1].append(tensor)
            size += bytes
        }
        guard shards.count > 1 else {
            files = [(HuggingFaceDirectory.weightsName, tensors)]
            return
        }
        for (number, shard) in shards.enumerated() {
            files.append((String(format: "model-%05d-of-%05d.safetensors", number + 1, shards.count), shard))
        }
        let pairs = files.flatMap { file in file.tensors.map { ($0.name, file.name) } }
        index = Index(
            metadata: .init(totalSize: tensors.reduce(0) { $0 + $1.count * type.byteCount }),
            weightMap: Dictionary(uniqueKeysWithValues: pairs))
    }

    /// Whether a file's name is one of those that `init` gives to shards.
    static func isShard(_ name: String) -> Bool {
        name.wholeMatch(of: /model-[0-9]{5}-of-[0-9]{5}\.safetensors/) != nil
    }
}
