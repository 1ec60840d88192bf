import Pipelines

extension DecoderInference {
    /// From the rotation to the end of attention.
    func attend(_ layer: DecoderLayer, _ step: StepCounts, isLast: Bool, _ member: inout TeamMember) {
        let workspace = workspaces.pointer + member.index * workspaceCount
        let chunks = chunkSpans.pointer
        // Rows of a prompt see one another's keys, so all are stored before any attends.
        member.perform(over: step.chunks) { part in
            for index in part {
                layer.rotate(chunks[index].rows)
                layer.store(chunks[index])
            }
        }
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
        // Members follow one another among the rows of logits too.
        guard let results = resultRows(of: first, isLast: isLast) else { return }
        layer.attend(
            family, rows: first.firstRow, into: results.lowerBound, positions: families.positions,
            tables: families.tables, workspace: workspace)
        for index in family.singles {
            guard let rows = resultRows(of: singles[index], isLast: isLast) else { continue }
            finish(layer, singles[index], into: rows, isLast: isLast)
        }
    }

    private func attend(
        _ layer: DecoderLayer, _ span: RowSpan, next: RowSpan?, isLast: Bool, _ workspace: UnsafeMutablePointer<Float>
    ) {
        guard let rows = resultRows(of: span, isLast: isLast) else { return }
        let span = isLast ? span.last : span
        layer.attend(span, into: rows.lowerBound, next: next, workspace: workspace)
        finish(layer, span, into: rows, isLast: isLast)
    }

    /// Where the results of a span go: in the last layer its last row alone has one, if its logits are wanted.
    private func resultRows(of span: RowSpan, isLast: Bool) -> Range<Int>? {
        isLast ? span.logits.map { $0..<$0 + 1 } : span.rows
    }

    private func finish(_ layer: DecoderLayer, _ span: RowSpan, into rows: Range<Int>, isLast: Bool) {
        if isLast {
            let width = shape.hiddenSize
            (selected.pointer + rows.lowerBound * width)
                .update(from: hidden.pointer + span.firstRow * width, count: rows.count * width)
        }
        layer.finishAttention(rows)
    }
}
