import CSIMD

#if KERNELS_AVX512
    /// A strip of `height` rows over a last panel of which at most sixteen columns are left: half the work of a whole tile.
    @inline(__always)
    func multiplyHalfPanel(_ strip: Strip, height: Int, pairs: Bool) {
        if height == 12 {
            multiplyHalf12(strip, pairs: pairs)
            return
        }
        var part = strip
        var left = height
        while left >= 4 {
            multiplyHalf4(part, pairs: pairs)
            part.a += 4 * strip.rowStride
            part.result += 4 * strip.resultStride
            left -= 4
        }
        while left >= 1 {
            multiplyHalf1(part, pairs: pairs)
            part.a += strip.rowStride
            part.result += strip.resultStride
            left -= 1
        }
    }

    @inline(__always)
    private func startHalf(_ strip: Strip, _ row: Int) -> Vector {
        strip.reloading ? loadSome(strip.result + row * strip.resultStride, strip.columns) : broadcast(0)
    }

    @inline(__always)
    private func multiplyHalf1(_ strip: Strip, pairs: Bool) {
        if pairs { pairHalf1(strip) } else { floatHalf1(strip) }
    }

    @inline(never)
    private func pairHalf1(_ strip: Strip) { halfStrip1(strip, pairs: true) }

    @inline(never)
    private func floatHalf1(_ strip: Strip) { halfStrip1(strip, pairs: false) }

    @inline(__always)
    private func halfStrip1(_ strip: Strip, pairs: Bool) {
        var row = startHalf(strip, 0)
        for k in 0..<strip.depth {
            addHalfLane(strip.a + k * strip.depthStride, load(strip.panel + k * panelWidth), to: &row, pairs: pairs)
        }
        storeSome(row, strip.result, strip.columns)
    }

    @inline(__always)
    private func multiplyHalf4(_ strip: Strip, pairs: Bool) {
        if pairs { pairHalf4(strip) } else { floatHalf4(strip) }
    }

    @inline(never)
    private func pairHalf4(_ strip: Strip) { halfStrip4(strip, pairs: true) }

    @inline(never)
    private func floatHalf4(_ strip: Strip) { halfStrip4(strip, pairs: false) }

    @inline(__always)
    private func halfStrip4(_ strip: Strip, pairs: Bool) {
        var rows = startFourHalves(strip, 0)
        let offsets = rowOffsets(strip.rowStride)
        var a = strip.a
        var panel = strip.panel
        for _ in 0..<strip.depth {
            addFourHalves(a, offsets, load(panel), to: &rows, pairs: pairs)
            a = opaque(a + strip.depthStride)
            panel += panelWidth
        }
        storeFourHalves(rows, strip, 0)
    }

    @inline(__always)
    private func multiplyHalf12(_ strip: Strip, pairs: Bool) {
        if pairs { pairHalf12(strip) } else { floatHalf12(strip) }
    }

    @inline(never)
    private func pairHalf12(_ strip: Strip) { halfStrip12(strip, pairs: true) }

    @inline(never)
    private func floatHalf12(_ strip: Strip) { halfStrip12(strip, pairs: false) }

    @inline(__always)
    private func halfStrip12(_ strip: Strip, pairs: Bool) {
        var rows0 = startFourHalves(strip, 0)
        var rows4 = startFourHalves(strip, 4)
        var rows8 = startFourHalves(strip, 8)
        let offsets = rowOffsets(strip.rowStride)
        var a0 = strip.a
        var a4 = a0 + 4 * strip.rowStride
        var a8 = a0 + 8 * strip.rowStride
        var panel = strip.panel
        for _ in 0..<strip.depth {
            let weights = load(panel)
            addFourHalves(a0, offsets, weights, to: &rows0, pairs: pairs)
            addFourHalves(a4, offsets, weights, to: &rows4, pairs: pairs)
            addFourHalves(a8, offsets, weights, to: &rows8, pairs: pairs)
            a0 = opaque(a0 + strip.depthStride)
            a4 = opaque(a4 + strip.depthStride)
            a8 = opaque(a8 + strip.depthStride)
            panel += panelWidth
        }
        storeFourHalves(rows0, strip, 0)
        storeFourHalves(rows4, strip, 4)
        storeFourHalves(rows8, strip, 8)
    }

    @inline(__always)
    private func startFourHalves(_ strip: Strip, _ first: Int) -> FourVectors {
        (
            startHalf(strip, first), startHalf(strip, first + 1), startHalf(strip, first + 2),
            startHalf(strip, first + 3)
        )
    }

    @inline(__always)
    private func addFourHalves(
        _ a: UnsafePointer<Float>, _ offsets: RowOffsets, _ weights: Vector, to rows: inout FourVectors, pairs: Bool
    ) {
        addHalfLane(a, weights, to: &rows.0, pairs: pairs)
        addHalfLane(a + offsets.one, weights, to: &rows.1, pairs: pairs)
        addHalfLane(a + offsets.two, weights, to: &rows.2, pairs: pairs)
        addHalfLane(a + offsets.three, weights, to: &rows.3, pairs: pairs)
    }

    /// A step of one row of half a tile: see `addLane`.
    @inline(__always)
    private func addHalfLane(_ a: UnsafePointer<Float>, _ weights: Vector, to row: inout Vector, pairs: Bool) {
        #if !KERNELS_BF16
            if pairs {
                row = multiplyAdd(broadcast(a[0]), highValues(weights), row)
                row = multiplyAdd(broadcast(a[1]), lowValues(weights), row)
                return
            }
        #endif
        row = addProduct(broadcast(a[0]), weights, row, pairs: pairs)
    }

    @inline(__always)
    private func storeFourHalves(_ rows: FourVectors, _ strip: Strip, _ first: Int) {
        let result = strip.result + first * strip.resultStride
        storeSome(rows.0, result, strip.columns)
        storeSome(rows.1, result + strip.resultStride, strip.columns)
        storeSome(rows.2, result + 2 * strip.resultStride, strip.columns)
        storeSome(rows.3, result + 3 * strip.resultStride, strip.columns)
    }
#endif
