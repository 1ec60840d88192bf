/// The tokens that top-k and then top-p keep; of equally probable tokens the lower id goes first.
///
/// Only as many tokens are sorted as are kept, or somewhat more: the most probable are first parted from the rest by
/// selection (Hoare, "Algorithm 65: FIND", 1961). The buffer is made once, and nothing else takes memory: the standard library's
/// sort does, for its merges.
struct CandidateTokens {
    /// In order of id, after `keep`.
    private(set) var tokens: [Int32] = []

    init(vocabularySize: Int) {
        tokens.reserveCapacity(vocabularySize)
    }

    /// - Parameter probabilities: [count].
    mutating func keep(_ parameters: SamplingParameters, of probabilities: UnsafePointer<Float>, count: Int) {
        // Tokens below this bound hold less than 1 - topP together, so none of them is in the smallest set.
        let bound = parameters.topK == 0 ? (1 - parameters.topP) / Float(count) * 0.5 : 0
        tokens.removeAll(keepingCapacity: true)
        for index in 0..<count where probabilities[index] > bound {
            tokens.append(Int32(index))
        }
        if parameters.topK > 0 && tokens.count > parameters.topK {
            partMostProbable(parameters.topK, of: probabilities)
            tokens.removeLast(tokens.count - parameters.topK)
        }
        if parameters.topP < 1 {
            let mass = parameters.topK == 0 ? 1 : tokens.reduce(Float(0)) { $0 + probabilities[Int($1)] }
            keepMass(parameters.topP * mass, of: probabilities)
        }
        sort(0, tokens.count - 1) { $0 < $1 }
    }

    /// Keeps the fewest of the most probable tokens whose probabilities reach `mass`, and at least one.
    private mutating func keepMass(_ mass: Float, of probabilities: UnsafePointer<Float>) {
        var running: Float = 0
        var kept = 0
        var sorted = 0
        while kept < tokens.count && running < mass {
            if kept == sorted {
                sorted = min(tokens.count, max(64, 2 * sorted))
                partMostProbable(sorted, from: kept, of: probabilities)
                sort(kept, sorted - 1) { Self.precedes($0, $1, probabilities) }
            }
            running += probabilities[Int(tokens[kept])]
            kept += 1
        }
        if kept == 0 { partMostProbable(1, of: probabilities) }
        tokens.removeLast(max(0, tokens.count - max(1, kept)))
    }

    private static func precedes(_ left: Int32, _ right: Int32, _ probabilities: UnsafePointer<Float>) -> Bool {
        let (first, second) = (probabilities[Int(left)], probabilities[Int(right)])
        return first == second ? left < right : first > second
    }

    /// Brings the most probable of the tokens behind `from` to the places before `end`, in any order.
    private mutating func partMostProbable(_ end: Int, from: Int = 0, of probabilities: UnsafePointer<Float>) {
        var low = from
        var high = tokens.count - 1
        while low < high {
            let (left, right) = part(low, high) { Self.precedes($0, $1, probabilities) }
            if end - 1 <= right {
                high = right
            } else if end - 1 >= left {
                low = left
            } else {
                return
            }
        }
    }

    /// Sorts `low...high` (Hoare, "Algorithm 64: Quicksort", 1961).
    private mutating func sort(_ low: Int, _ high: Int, by precedes: (Int32, Int32) -> Bool) {
        var low = low
        var high = high
        while high - low >= 16 {
            let (left, right) = part(low, high, by: precedes)
            // The shorter side by recursion, which so is never deep.
            if right - low < high - left {
                sort(low, right, by: precedes)
                low = left
            } else {
                sort(left, high, by: precedes)
                high = right
            }
        }
        for index in low..<max(low, high) {
            let token = tokens[index + 1]
            var place = index + 1
            while place > low && precedes(token, tokens[place - 1]) {
                tokens[place] = tokens[place - 1]
                place -= 1
            }
            tokens[place] = token
        }
    }

    /// Parts `low...high` about the token in its middle: none of `low...right` goes behind any of `left...high`, and what stands
    /// between the two is in its place.
    private mutating func part(
        _ low: Int, _ high: Int, by precedes: (Int32, Int32) -> Bool
    ) -> (left: Int, right: Int) {
        let pivot = tokens[low + (high - low) / 2]
        var left = low
        var right = high
        while left <= right {
            while precedes(tokens[left], pivot) { left += 1 }
            while precedes(pivot, tokens[right]) { right -= 1 }
            if left <= right {
                tokens.swapAt(left, right)
                left += 1
                right -= 1
            }
        }
        return (left, right)
    }
}
