import TestSupport
import Testing

@testable import Pipelines

/// What became of one waiter or call.
enum Outcome: Hashable {
    case sent(Int)
    case refused(Int)
    case sendCancelled(Int)
    case received(Int, element: Int)
    case ended(Int)
    case receiveCancelled(Int)
}

enum Operation: CaseIterable {
    case send, receive, cancelOldestSender, cancelNewestSender, cancelOldestReceiver, cancelNewestReceiver, close
}

/// The queue as one line of sends: those at a place below the capacity are in, the others wait. Callers are numbers; the
/// element of a send is its caller's number.
struct ReferenceQueue {
    let capacity: Int
    var line: [Int]
    /// How many at the front of the line never wait: a restored queue may begin above its capacity.
    var restored: Int
    var receivers: [Int] = []
    var isClosed = false

    var inside: Int { min(line.count, max(capacity, restored)) }

    init(capacity: Int, restoring elements: [Int]) {
        self.capacity = capacity
        line = elements
        restored = elements.count
    }

    mutating func apply(_ operation: Operation, caller: Int) -> [Outcome] {
        switch operation {
        case .send:
            if isClosed {
                return [.refused(caller)]
            }
            if !receivers.isEmpty {
                return [.sent(caller), .received(receivers.removeFirst(), element: caller)]
            }
            let before = inside
            line.append(caller)
            return inside > before ? [.sent(caller)] : []
        case .receive:
            guard !line.isEmpty else {
                if isClosed {
                    return [.ended(caller)]
                }
                receivers.append(caller)
                return []
            }
            let waiting = line[inside...]
            let element = line.removeFirst()
            restored = max(0, restored - 1)
            let admitted = waiting.first.flatMap { line[..<inside].contains($0) ? $0 : nil }
            return [.received(caller, element: element)] + (admitted.map { [.sent($0)] } ?? [])
        case .cancelOldestSender, .cancelNewestSender:
            guard inside < line.count else { return [] }
            let index = operation == .cancelOldestSender ? inside : line.count - 1
            return [.sendCancelled(line.remove(at: index))]
        case .cancelOldestReceiver:
            return receivers.isEmpty ? [] : [.receiveCancelled(receivers.removeFirst())]
        case .cancelNewestReceiver:
            return receivers.popLast().map { [.receiveCancelled($0)] } ?? []
        case .close:
            defer {
                isClosed = true
                line.removeLast(line.count - inside)
                receivers = []
            }
            return line[inside...].map { .refused($0) } + receivers.map { .ended($0) }
        }
    }
}

/// The machine under the same operations.
struct MachineDriver {
    var machine: BoundedQueueStateMachine<Int, Int, Int>
    private var tickets: [UInt64: Int] = [:]

    init(capacity: Int, restoring elements: [Int]) {
        machine = BoundedQueueStateMachine(capacity: capacity, elements: elements)
    }

    mutating func apply(_ operation: Operation, caller: Int) -> [Outcome] {
        switch operation {
        case .send:
            switch machine.send(caller) {
            case .enqueued: return [.sent(caller)]
            case .deliver(let receiver, let element, _): return [.sent(caller), .received(receiver, element: element)]
            case .closed: return [.refused(caller)]
            case .full:
                machine.suspend(caller, ticket: machine.makeTicket(), element: caller, since: 0)
                return []
            }
        case .receive:
            switch machine.receive() {
            case .element(let element, let sender, _):
                return [.received(caller, element: element)] + (sender.map { [.sent($0)] } ?? [])
            case .finished: return [.ended(caller)]
            case .empty:
                machine.suspend(caller, ticket: machine.makeTicket(), since: 0)
                return []
            }
        case .cancelOldestSender: return cancelSend(machine.senders.first?.ticket)
        case .cancelNewestSender: return cancelSend(machine.senders.last?.ticket)
        case .cancelOldestReceiver: return cancelReceive(machine.receivers.first?.ticket)
        case .cancelNewestReceiver: return cancelReceive(machine.receivers.last?.ticket)
        case .close:
            let freed = machine.close()
            return freed.senders.map { .refused($0.sender) } + freed.receivers.map { .ended($0.receiver) }
        }
    }

    private mutating func cancelSend(_ ticket: UInt64?) -> [Outcome] {
        guard let ticket, let waiting = machine.cancelSend(ticket) else { return [] }
        return [.sendCancelled(waiting.sender)]
    }

    private mutating func cancelReceive(_ ticket: UInt64?) -> [Outcome] {
        guard let ticket, let waiting = machine.cancelReceive(ticket) else { return [] }
        return [.receiveCancelled(waiting.receiver)]
    }
}

@Suite struct BoundedQueueStateMachineTests {
    /// True if both sides did and hold the same.
    private func agree(
        _ operation: Operation, caller: Int, _ reference: inout ReferenceQueue, _ driver: inout MachineDriver
    ) -> Bool {
        let expected = reference.apply(operation, caller: caller)
        let actual = driver.apply(operation, caller: caller)
        let machine = driver.machine
        return expected == actual
            && machine.snapshot() == reference.line
            && machine.elements.count == reference.inside
            && machine.senders.map(\.sender) == Array(reference.line[reference.inside...])
            && machine.receivers.map(\.receiver) == reference.receivers
            && machine.isClosed == reference.isClosed
            && (machine.senders.isEmpty || machine.elements.count >= machine.capacity)
            && (machine.receivers.isEmpty || machine.elements.isEmpty)
    }

    /// All sequences of up to 7 operations.
    @Test(arguments: [1, 2, 3])
    func agreesWithTheReferenceOnEveryShortSequence(capacity: Int) {
        var sequences = 0
        func explore(_ depth: Int, _ reference: ReferenceQueue, _ driver: MachineDriver, _ path: [Operation]) {
            guard depth > 0 else {
                sequences += 1
                return
            }
            for operation in Operation.allCases {
                var reference = reference
                var driver = driver
                let path = path + [operation]
                guard agree(operation, caller: path.count, &reference, &driver) else {
                    Issue.record("capacity \(capacity): \(path)")
                    return
                }
                explore(depth - 1, reference, driver, path)
            }
        }
        explore(
            6, ReferenceQueue(capacity: capacity, restoring: []), MachineDriver(capacity: capacity, restoring: []), [])
        #expect(sequences == 117_649)
    }

    @Test func agreesWithTheReferenceOnLongRandomSequences() {
        for seed in 0..<500 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let capacity = Int.random(in: 1...4, using: &generator)
            let restored = (0..<Int.random(in: 0...7, using: &generator)).map { -1 - $0 }
            var reference = ReferenceQueue(capacity: capacity, restoring: restored)
            var driver = MachineDriver(capacity: capacity, restoring: restored)
            // Mostly traffic, now and then a cancellation, rarely the end.
            let operations: [Operation] =
                Array(repeating: .send, count: 20) + Array(repeating: .receive, count: 20)
                + [.cancelOldestSender, .cancelNewestSender, .cancelOldestReceiver, .cancelNewestReceiver]
            var path: [Operation] = []
            for caller in 0..<200 {
                let isEnd = Int.random(in: 0..<300, using: &generator) == 0
                let operation = isEnd ? .close : operations[Int.random(in: 0..<operations.count, using: &generator)]
                path.append(operation)
                guard agree(operation, caller: caller, &reference, &driver) else {
                    Issue.record("seed \(seed): \(path)")
                    break
                }
            }
        }
    }

    @Test func ticketsOfFreedWaitersCancelNothing() {
        var machine = BoundedQueueStateMachine<Int, String, String>(capacity: 1)
        guard case .enqueued = machine.send(1), case .full = machine.send(2) else {
            Issue.record("a queue of one took two")
            return
        }
        let ticket = machine.makeTicket()
        machine.suspend("second", ticket: ticket, element: 2, since: 5)
        guard case .element(1, resuming: "second", since: 5) = machine.receive() else {
            Issue.record("the waiting sender was not admitted")
            return
        }
        #expect(machine.cancelSend(ticket) == nil)
        #expect(machine.snapshot() == [2])
    }
}
