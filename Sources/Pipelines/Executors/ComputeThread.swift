import Glibc

/// One operating-system thread of a `ComputeExecutor`.
struct ComputeThread: @unchecked Sendable {
    // Unchecked: a thread handle is a number, constant from the initializer on; nothing is shared through it.
    private let handle: pthread_t

    /// Of addresses: memory is taken as the stack is used. Kernels put up to 256 KiB there in one frame, and what jobs call, a
    /// parser for example, may go deep; what the shell allows a process's first thread may be less.
    private static let stackByteCount = 8 << 20

    private final class Start {
        let core: ComputeCore
        let index: Int
        let processorCore: Int?

        init(core: ComputeCore, index: Int, processorCore: Int?) {
            self.core = core
            self.index = index
            self.processorCore = processorCore
        }

        func run() {
            // 15 characters at most.
            _ = ThreadCalls.setName?(pthread_self(), "rlkd-core-\(index)")
            ProcessorCores.bind(to: processorCore.map { [$0] } ?? ProcessorCores.available)
            core.clock.threadStarted(index)
            // The key does not hold this object, and is cleared before it may go.
            withExtendedLifetime(self) {
                pthread_setspecific(ComputeThread.key, Unmanaged.passUnretained(self).toOpaque())
                core.work(index)
                pthread_setspecific(ComputeThread.key, nil)
            }
            core.clock.threadEnded(index)
        }
    }

    init(core: ComputeCore, index: Int, processorCore: Int?) {
        let start = Start(core: core, index: index, processorCore: processorCore)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        let sizing = pthread_attr_setstacksize(&attributes, Self.stackByteCount)
        precondition(sizing == 0, "the system gives no thread so large a stack (error \(sizing))")
        var handle = pthread_t()
        let code = pthread_create(
            &handle, &attributes,
            { argument in
                if let argument {
                    // Takes over the reference that is passed below: a thread that was made runs this once.
                    Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().run()
                }
                return nil
            }, Unmanaged.passRetained(start).toOpaque())
        precondition(code == 0, "the system gives no thread (error \(code))")
        self.handle = handle
    }

    /// Whether it is the present thread.
    var isCurrent: Bool {
        pthread_equal(handle, pthread_self()) != 0
    }

    func join() {
        pthread_join(handle, nil)
    }

    func detach() {
        pthread_detach(handle)
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let code = pthread_key_create(&key, nil)
        precondition(code == 0, "no thread-specific key is left (error \(code))")
        return key
    }()

    /// Runs `body` with the core that the present thread works for, and the thread's number there; nil on any other thread.
    static func withCurrentCore<Result>(_ body: (ComputeCore, Int) -> Result) -> Result? {
        guard let start = pthread_getspecific(key) else { return nil }
        // The thread itself keeps both alive.
        return Unmanaged<Start>.fromOpaque(start)._withUnsafeGuaranteedRef { body($0.core, $0.index) }
    }
}
