import Generation
import Models

/// Room that a generator's sequences take of its pages at once, so that pages which nothing ever reaches are not counted.
public struct RunningSequences: Sendable {
    /// Completions of one prompt.
    public struct Request: Sendable {
        var prompt: Int
        var newTokens: Int
        var samples: Int

        public init(prompt: Int, newTokens: Int, samples: Int) {
            self.prompt = prompt
            self.newTokens = newTokens
            self.samples = samples
        }

        var promptPositions: Int { Self.rounded(prompt) }

        /// Of a sample beside the prompt's full pages.
        var ownPositions: Int { Self.rounded(prompt + newTokens) - prompt / 16 * 16 }

        private static func rounded(_ positions: Int) -> Int { 16 * KeyValuePages.pages(positions: positions) }
    }

    /// Positions of the longest prompt with its completion.
    public private(set) var longest = 1
    /// Positions, in whole pages, of the completions that run at once and their prompts, at most.
    public private(set) var positions = 0
    /// Of the prompts that wait beside them, where all requests are there from the start.
    public private(set) var waiting = 0

    /// Of all prompts together.
    public private(set) var promptTokens = 0

    private var requests: [Request] = []
    private var samples = 0
    private var batch: Int

    /// Rows of logits that are written, at most: a step's, and those that prompts keep of their last tokens until all of their
    /// completions have begun. No more completions run than prompts can be computed for.
    ///
    /// - Parameters:
    ///   - engines: generators that the batch is divided among.
    ///   - allAtStart: whether all requests are there from the start, or are taken when there is room for their completions.
    public func logitRows(engines: Int = 1, allAtStart: Bool) -> Int {
        guard let fewest = requests.map(\.samples).min(), let most = requests.map(\.samples).max(),
            let newTokens = requests.map(\.newTokens).max()
        else { return 0 }
        let prompts = min(requests.count, allAtStart ? batch : (batch + fewest - 1) / fewest + engines - 1)
        let ending = min(prompts, shortest(within: batch + engines * Generator.usualPrefillRows) + engines)
        let active = min(batch, samples, ending * most * newTokens)
        // The last of one prompt's completions and the next prompt's first token may come of one step; with a completion each,
        // prompts that end in a step leave room for as many fewer completions.
        return (most == 1 ? min(batch, active + ending) : active + ending) + prompts
    }

    /// How many of the shortest prompts have so many tokens together.
    private func shortest(within tokens: Int) -> Int {
        var left = tokens
        return requests.map(\.prompt).sorted().prefix { prompt in
            left -= prompt
            return left >= 0
        }.count
    }

    /// - Parameters:
    ///   - requests: in the order in which they are served.
    ///   - batch: completions that run at once.
    public init(_ requests: [Request], batch: Int) {
        let requests = requests.filter { $0.samples > 0 }
        self.batch = batch
        self.requests = requests
        var first = 0
        var left = requests.first?.samples ?? 0
        var (running, prompts, mostPrompts) = (0, 0, 0)
        for request in requests {
            longest = max(longest, request.prompt + request.newTokens)
            promptTokens += request.prompt
            prompts += request.promptPositions
            for _ in 0..<request.samples {
                if running == batch {
                    // The oldest ends, and with the last of its kind the prompt.
                    running -= 1
                    left -= 1
                    while left == 0 {
                        prompts -= requests[first].promptPositions
                        first += 1
                        left = requests[first].samples
                    }
                }
                running += 1
                mostPrompts = max(mostPrompts, prompts)
            }
        }
        // Short ones end first, so that in time the longest run together.
        let own = requests.flatMap { Array(repeating: $0.ownPositions, count: min(batch, $0.samples)) }
        positions = mostPrompts + own.sorted(by: >).prefix(batch).reduce(0, +)
        samples = requests.reduce(0) { $0 + $1.samples }
        let perRequest = max(1, samples / max(1, requests.count))
        waiting = requests.prefix(batch).dropFirst(batch / perRequest).reduce(0) { $0 + $1.promptPositions }
    }
}
