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

        /// Positions of the pages that the prompt fills, which its samples share.
        var fullPositions: Int { prompt / 16 * 16 }

        /// Of the page that a prompt has beside those while samples are left to begin.
        var straddlingPositions: Int { Self.rounded(prompt) - fullPositions }

        /// Of a sample beside the prompt's full pages. The last one goes on in the prompt's own.
        var ownPositions: Int { Self.rounded(prompt + newTokens) - fullPositions }

        private static func rounded(_ positions: Int) -> Int { 16 * KeyValuePages.pages(positions: positions) }
    }

    /// Positions of the longest prompt with its completion.
    public private(set) var longest = 1
    /// Positions, in whole pages, of the completions that run at once and their prompts, at most. A prompt is taken in when a
    /// completion is missing, and so takes the place of one.
    public private(set) var positions = 0

    /// Of all prompts together.
    public private(set) var promptTokens = 0

    private var requests: [Request] = []
    private var samples = 0
    private var batch: Int

    /// Rows of logits that a step writes, at most: of running completions, and of the prompts that end in it.
    ///
    /// - Parameter engines: generators that the batch is divided among.
    public func logitRows(engines: Int = 1) -> Int {
        guard let most = requests.map(\.samples).max(), let newTokens = requests.map(\.newTokens).max() else {
            return 0
        }
        // A completion runs for as many steps as it has tokens, but for the one that ends its prompt and gives the first.
        let running = most.multipliedReportingOverflow(by: ending(steps: newTokens - 1, active: 0, engines: engines))
        let active = min(batch, running.overflow ? batch : running.partialValue)
        // Each row of a completion leaves one less to prompts, of which none has fewer.
        let together = active + ending(steps: 1, active: active, engines: engines)
        let consecutive = most == 1 ? ending(steps: newTokens, active: 0, engines: engines) : together
        // A prompt that ends has a completion to begin, and so comes in place of a running one.
        return min(together, consecutive, batch, samples)
    }

    /// Prompts that end in so many consecutive steps, beside so many running completions, at most. The first is begun before.
    private func ending(steps: Int, active: Int, engines: Int) -> Int {
        guard steps > 0 else { return 0 }
        let rows = batch - active + engines * Generator.usualPrefillRows
        let tokens = steps.multipliedReportingOverflow(by: rows)
        return min(requests.count, shortest(within: tokens.overflow ? .max : tokens.partialValue) + engines)
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
        let requests = requests.filter { $0.samples > 0 }.map { request in
            // Of more than run at once it matters only that there are more.
            Request(prompt: request.prompt, newTokens: request.newTokens, samples: min(request.samples, batch + 1))
        }
        self.batch = batch
        self.requests = requests
        var first = 0
        var left = requests.first?.samples ?? 0
        var (running, prompts, mostPrompts) = (0, 0, 0)
        for request in requests {
            longest = max(longest, request.prompt + request.newTokens)
            promptTokens += request.prompt
            prompts += request.fullPositions
            for sample in 1...request.samples {
                if running == batch {
                    // The oldest ends, and with the last of its kind the prompt.
                    running -= 1
                    left -= 1
                    while left == 0 {
                        prompts -= requests[first].fullPositions
                        first += 1
                        left = requests[first].samples
                    }
                }
                running += 1
                let isWaiting = running == batch && sample < request.samples
                mostPrompts = max(mostPrompts, prompts + (isWaiting ? request.straddlingPositions : 0))
            }
        }
        // Short ones end first, so that in time the longest run together.
        let own = requests.flatMap { Array(repeating: $0.ownPositions, count: min(batch, $0.samples)) }
        positions = mostPrompts + own.sorted(by: >).prefix(batch).reduce(0, +)
        samples = requests.reduce(0) { $0 + $1.samples }
    }
}
