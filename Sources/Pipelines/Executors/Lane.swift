/// The class of a compute job. A job of an earlier lane is always taken before one of a later lane.
public enum Lane: Int, Sendable, Codable, CaseIterable {
    case learner, scoring, rollout

    /// The stage that the lane's time is charged to, unless a job says otherwise.
    public var stage: Stage {
        switch self {
        case .learner: .learning
        case .scoring: .scoring
        case .rollout: .rollout
        }
    }
}
