import Files
import Foundation
import Kernels
import Memory

/// A safetensors file, mapped into memory: a JSON header, then the tensors' bytes
/// (https://github.com/huggingface/safetensors).
///
///     let file = try SafeTensors(url: url)
///     try file.read("model.norm.weight", into: pointer)
///
/// Opening checks the whole header; pages of a tensor are read when it is. The file must not be shortened while it is
/// open: the operating system then answers a read with SIGBUS. Writers that rename a new file over it, as ours does,
/// are safe.
// Unchecked: nobody writes. The mapping is private and read-only, made in the initializer and unmapped in the deinitializer, when
// no reader has the object any more; all else is constant. Pages that `release` gives back are read from the file again.
public final class SafeTensors: @unchecked Sendable {
    /// Number formats that can be read as floats, and written.
    public enum DataType: String, Sendable, Hashable, CaseIterable {
        case float32 = "F32"
        case float16 = "F16"
        case bfloat16 = "BF16"

        public var byteCount: Int { self == .float32 ? 4 : 2 }
    }

    public struct Tensor: Sendable, Hashable {
        public let name: String
        /// Nil for a format that is not read as floats.
        public let type: DataType?
        /// The format's name in the file.
        public let typeName: String
        /// Empty for a scalar.
        public let shape: [Int]
        /// Product of the shape.
        public let count: Int
        public let byteCount: Int
        /// In bytes from the start of the file.
        let offset: Int
    }

    /// The file's path, for messages.
    public let file: String
    /// In the order of the file's bytes.
    public let tensors: [Tensor]
    private let indices: [ExactString: Int]
    private let mapping: UnsafeRawBufferPointer

    /// Throws `FormatError` naming the file and the tensor for a file that cannot be read or contradicts itself.
    public init(url: URL) throws {
        file = url.path
        mapping = try FormatError.naming { () throws(FileError) in try Self.map(url) }
        do {
            let header = try SafeTensorsHeader(mapping, file: file)
            tensors = header.tensors
            indices = Dictionary(uniqueKeysWithValues: header.tensors.enumerated().map { (ExactString($1.name), $0) })
        } catch {
            Self.unmap(mapping)
            throw error
        }
    }

    deinit {
        Self.unmap(mapping)
    }

    private static func map(_ url: URL) throws(FileError) -> UnsafeRawBufferPointer {
        try InputFile.withDescriptor(of: url) { (descriptor, size) throws(FileError) in
            // An empty file cannot be mapped; the header's reader then says what is missing.
            guard size > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
            guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
                let code = errno
                throw FileError(file: url.path, .read, code: code)
            }
            return UnsafeRawBufferPointer(start: address, count: size)
        }
    }

    private static func unmap(_ mapping: UnsafeRawBufferPointer) {
        if let address = mapping.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), mapping.count) }
    }

    /// The tensor of that name.
    public subscript(name: String) -> Tensor? {
        indices[ExactString(name)].map { tensors[$0] }
    }

    /// The tensor of that name, and the format to read it by. Throws `FormatError` where there is none, or its format is not
    /// one of `DataType`.
    func readable(_ name: String) throws -> (tensor: Tensor, type: DataType) {
        guard let tensor = self[name] else {
            throw FormatError(file: file, field: name, reason: "the tensor is missing")
        }
        guard let type = tensor.type else {
            let known = DataType.allCases.map(\.rawValue).joined(separator: ", ")
            throw FormatError(
                file: file, field: name, reason: "the dtype \(tensor.typeName) is not read as floats (\(known) are)")
        }
        return (tensor, type)
    }

    /// A tensor's bytes where they are mapped, little-endian and of any alignment; valid as long as this object.
    private func bytes(of tensor: Tensor) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: mapping[tensor.offset..<tensor.offset + tensor.byteCount])
    }

    /// Converts a tensor's elements to floats, in order.
    ///
    /// - Parameter destination: Room for the tensor's `count` floats.
    ///
    /// Throws `FormatError` where there is no such tensor, or none of floats.
    public func read(_ name: String, into destination: UnsafeMutablePointer<Float>) throws {
        let (tensor, type) = try readable(name)
        convert(tensor, type, 0..<tensor.count, into: destination)
    }

    private func convert(
        _ tensor: Tensor, _ type: DataType, _ elements: Range<Int>, into destination: UnsafeMutablePointer<Float>
    ) {
        guard let start = bytes(of: tensor).baseAddress.map({ $0 + type.byteCount * elements.lowerBound }) else {
            return
        }
        switch type {
        case .float32:
            UnsafeMutableRawPointer(destination).copyMemory(from: start, byteCount: 4 * elements.count)
        case .bfloat16:
            for index in 0..<elements.count {
                let bits = start.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                destination[index] = Float(bitPattern: UInt32(bits) << 16)
            }
        case .float16:
            for index in 0..<elements.count {
                let bits = start.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                destination[index] = Float(Float16(bitPattern: bits))
            }
        }
    }

    /// The same for some elements, which are read once: the file's pages are given back.
    private func convertOnce(
        _ tensor: Tensor, _ type: DataType, _ elements: Range<Int>, into destination: UnsafeMutablePointer<Float>
    ) {
        convert(tensor, type, elements, into: destination)
        release(tensor, type.byteCount * elements.lowerBound..<type.byteCount * elements.upperBound)
    }

    /// Converts some elements of a weight, which are read once: an infinite value, or one that is not a number, is refused.
    func readFinite(_ name: String, _ elements: Range<Int>, into destination: UnsafeMutablePointer<Float>) throws {
        let (tensor, type) = try readable(name)
        convertOnce(tensor, type, elements, into: destination)
        guard Elementwise.isFinite(destination, count: elements.count) else {
            throw FormatError(
                file: file, field: name, reason: "holds a value that is infinite or not a number; weights are finite")
        }
    }

    /// Whether a tensor's elements are, as floats, those of another file's tensor, bit for bit; some are converted at a time, and
    /// read once.
    ///
    /// Throws `FormatError` where one is missing, or none of floats.
    func hasValues(_ name: String, of other: SafeTensors, _ otherName: String) throws -> Bool {
        let (tensor, type) = try readable(name)
        let (otherTensor, otherType) = try other.readable(otherName)
        guard tensor.count == otherTensor.count else { return false }
        let part = 1 << 15
        let own = AlignedBuffer<Float>(count: part)
        let others = AlignedBuffer<Float>(count: part)
        for start in stride(from: 0, to: tensor.count, by: part) {
            let elements = start..<min(start + part, tensor.count)
            convertOnce(tensor, type, elements, into: own.pointer)
            other.convertOnce(otherTensor, otherType, elements, into: others.pointer)
            guard memcmp(own.pointer, others.pointer, 4 * elements.count) == 0 else { return false }
        }
        return true
    }

    /// Takes a tensor's pages out of the process's memory; whoever reads them again gets them from the file.
    private func release(_ tensor: Tensor, _ bytes: Range<Int>) {
        guard let start = mapping.baseAddress, !bytes.isEmpty else { return }
        // A fault maps its neighbours as well, of an aligned window of this size.
        let window = 1 << 16
        let place = UnsafeMutableRawPointer(mutating: start) + tensor.offset
        let first = max(
            UnsafeMutableRawPointer(mutating: start),
            (place + bytes.lowerBound + 1 - window).alignedUp(toMultipleOf: window))
        madvise(first, place + bytes.upperBound - first, MADV_DONTNEED)
    }
}
