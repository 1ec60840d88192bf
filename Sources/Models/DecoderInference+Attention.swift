import Pipelines

extension DecoderInference {
    /// Rotation, and keys and values of chunks. Rows of a prompt see one another's, so all are stored before any attends.
    func storeChunks(_ layer: DecoderLayer, _ step: StepCounts, _ member: inout TeamMember) {
        let chunks = chunkSpans.pointer
        member.perform(over: step.chunks) { part in
            for index in part {
                layer.rotate(chunks[index].rows)
                layer.store(chunks[index])
            }
        }
    }

    /// Attention, before which families are rotated and stored.
    ///
    /// - Parameter isLast: whether the layer is the last one, with `finalActivations`.
    func attend(_ layer: DecoderLayer, _ step: StepCounts, isLast: Bool, _ member: inout TeamMember) {
        let workspace = workspaces.pointer + member.index * workspaceCount
        let chunks = chunkSpans.pointer
        member.perform(over: step.families + step.chunks) { part in
            for index in part {
                if index < step.families {
                    attend(layer, families.pointer[index], step, isLast: isLast, workspace)
                } else {
                    // Of a prompt, the last ones attend to most.
                    let chunk = chunks[step.families + step.chunks - 1 - index]
                    attend(layer, chunk, next: nil, isLast: isLast, workspace)
                }
            }
        }
    }

    /// All that a family's rows have to do between two products.
    private func attend(
        _ layer: DecoderLayer, _ family: RowFamily, _ step: StepCounts, isLast: Bool,
        _ workspace: UnsafeMutablePointer<Float>
    ) {
        let singles = singleSpans.pointer
        for index in family.singles {
            layer.rotate(singles[index].rows)
            layer.store(singles[index])
        }
        let first = singles[family.first]
        guard family.count > 1 else {
            let next = family.first + 1 < step.singles ? singles[family.first + 1] : nil
            return attend(layer, first, next: next, isLast: isLast, workspace)
        }
        layer.attend(
            family, from: first.firstRow, into: firstResult(of: family, isLast: isLast), positions: families.positions,
            tables: families.tables, workspace: workspace)
        for index in family.singles {
            guard let rows = resultRows(of: singles[index], isLast: isLast) else { continue }
            finishAttention(layer, singles[index], into: rows, isLast: isLast)
        }
    }

    /// Members follow one another among the rows of logits as they do among all: the logits of each are wanted.
    private func firstResult(of family: RowFamily, isLast: Bool) -> Int {
        guard let rows = resultRows(of: singleSpans.pointer[family.first], isLast: isLast) else {
            preconditionFailure("a single row whose logits are not wanted is among families")
        }
        return rows.lowerBound
    }

    private func attend(
        _ layer: DecoderLayer, _ span: RowSpan, next: RowSpan?, isLast: Bool, _ workspace: UnsafeMutablePointer<Float>
    ) {
        guard let rows = resultRows(of: span, isLast: isLast) else { return }
        let span = isLast ? span.last : span
        layer.attend(span, into: rows.lowerBound, next: next, workspace: workspace)
        finishAttention(layer, span, into: rows, isLast: isLast)
    }

    /// Where the results of a span go: in the last layer its last row alone has one, if its logits are wanted.
    private func resultRows(of span: RowSpan, isLast: Bool) -> Range<Int>? {
        isLast ? span.logitRow.map { $0..<$0 + 1 } : span.rows
    }

    private func finishAttention(_ layer: DecoderLayer, _ span: RowSpan, into rows: Range<Int>, isLast: Bool) {
        if isLast {
            let width = shape.hiddenSize
            (selected.pointer + rows.lowerBound * width)
                .update(from: hidden.pointer + span.firstRow * width, count: rows.count * width)
        }
        layer.finishAttention(rows)
    }
}
