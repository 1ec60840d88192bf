import CSIMD

/// The one lane layout of all kernels: sixteen floats, in one, two or four registers as the instruction set has them.
typealias Vector = SIMD16<Float>

/// Lanes of a `Vector`.
let lanes = 16

@inline(__always)
func load(_ source: UnsafePointer<Float>) -> Vector {
    UnsafeRawPointer(source).loadUnaligned(as: Vector.self)
}

@inline(__always)
func load(_ source: UnsafeMutablePointer<Float>) -> Vector {
    UnsafeRawPointer(source).loadUnaligned(as: Vector.self)
}

@inline(__always)
func store(_ vector: Vector, _ destination: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(destination).storeBytes(of: vector, as: Vector.self)
}

@inline(__always)
func broadcast(_ value: Float) -> Vector {
    Vector(repeating: value)
}

/// `a * b + c`: one rounding where the instruction set has a vector FMA, else two (there `addingProduct` would call
/// libm).
@inline(__always)
func multiplyAdd(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector {
    #if KERNELS_FMA || arch(arm64)
        return c.addingProduct(a, b)
    #else
        return a * b + c
    #endif
}

/// The sum of the lanes by halves, in this fixed order.
@inline(__always)
func laneSum(_ vector: Vector) -> Float {
    let eight = vector.lowHalf + vector.highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
}

/// The sum of the lanes by halves, in this fixed order.
@inline(__always)
func laneSum(_ vector: SIMD8<Double>) -> Double {
    let four = vector.lowHalf + vector.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
}

/// The first `count` floats and zeros after them; any `count`, also below 0 and above 16.
@inline(__always)
func loadSome(_ source: UnsafePointer<Float>, _ count: Int) -> Vector {
    if count >= lanes { return load(source) }
    return count <= 0 ? broadcast(0) : loadPrefix(source, count)
}

/// Writes the first `count` lanes; any `count`, also below 0 and above 16.
@inline(__always)
func storeSome(_ vector: Vector, _ destination: UnsafeMutablePointer<Float>, _ count: Int) {
    if count >= lanes {
        store(vector, destination)
    } else if count > 0 {
        storePrefix(vector, destination, count)
    }
}

/// 0, 1, … 15.
@inline(__always)
var laneIndices: Vector {
    Vector(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
}

/// The first `count` lanes, and `rest` in the others, whatever these held.
@inline(__always)
func firstLanes(_ vector: Vector, _ count: Int, otherwise rest: Float = 0) -> Vector {
    select(where: laneIndices, isAtMost: broadcast(Float(count) - 1), vector, otherwise: broadcast(rest))
}
