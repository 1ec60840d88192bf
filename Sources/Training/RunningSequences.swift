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

    /// - Parameters:
    ///   - requests: in the order in which they are served.
    ///   - batch: completions that run at once.
    public init(_ requests: [Request], batch: Int) {
        let requests = requests.filter { $0.samples > 0 }
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
        let samples = requests.reduce(0) { $0 + $1.samples }
        let perRequest = max(1, samples / max(1, requests.count))
        waiting = requests.prefix(batch).dropFirst(batch / perRequest).reduce(0) { $0 + $1.promptPositions }
    }
}
