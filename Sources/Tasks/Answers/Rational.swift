/// An exact fraction in lowest terms, its denominator positive.
///
/// What does not fit 64 bits is no `Rational`: parsing and arithmetic give nil, never a rounded value.
struct Rational: Sendable, Hashable {
    let numerator: Int
    let denominator: Int

    init?(_ numerator: Int, over denominator: Int) {
        // Int.min has no positive counterpart.
        guard denominator != 0, numerator != .min, denominator != .min else { return nil }
        var (larger, smaller) = (abs(numerator), abs(denominator))
        while smaller != 0 { (larger, smaller) = (smaller, larger % smaller) }
        self.numerator = numerator.signum() * denominator.signum() * (abs(numerator) / larger)
        self.denominator = abs(denominator) / larger
    }

    static let one = Rational(reduced: 1, over: 1)
    static let minusOne = Rational(reduced: -1, over: 1)
    static let hundredth = Rational(reduced: 1, over: 100)

    private init(reduced numerator: Int, over denominator: Int) {
        self.numerator = numerator
        self.denominator = denominator
    }

    static func * (left: Rational, right: Rational) -> Rational? {
        product(left.numerator, right.numerator, over: left.denominator, right.denominator)
    }

    static func / (left: Rational, right: Rational) -> Rational? {
        product(left.numerator, right.denominator, over: left.denominator, right.numerator)
    }

    static func + (left: Rational, right: Rational) -> Rational? {
        let (first, overflowsFirst) = left.numerator.multipliedReportingOverflow(by: right.denominator)
        let (second, overflowsSecond) = right.numerator.multipliedReportingOverflow(by: left.denominator)
        let (sum, overflowsSum) = first.addingReportingOverflow(second)
        let (common, overflowsCommon) = left.denominator.multipliedReportingOverflow(by: right.denominator)
        guard !overflowsFirst, !overflowsSecond, !overflowsSum, !overflowsCommon else { return nil }
        return Rational(sum, over: common)
    }

    private static func product(_ a: Int, _ b: Int, over c: Int, _ d: Int) -> Rational? {
        let (numerator, overflows) = a.multipliedReportingOverflow(by: b)
        let (denominator, overflowsBelow) = c.multipliedReportingOverflow(by: d)
        return overflows || overflowsBelow ? nil : Rational(numerator, over: denominator)
    }
}
