namespace BuildKit.Diagnosis;

/// <summary>What a check found, before it is known which check of which builder it was.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Detail">What was seen.</param>
/// <param name="Recommendation">What to do, or null.</param>
/// <param name="ErrorId">The id of the error, or null.</param>
internal sealed record Finding(BuildKitCheckStatus Status, string Detail, string? Recommendation = null, string? ErrorId = null)
{
    /// <summary>Why checks that need this one can't be done, in words after «Not checked:»; null where they can.</summary>
    public string? Obstacle { get; init; }

    public static Finding Pass(string detail) => new(BuildKitCheckStatus.Pass, detail);

    public static Finding Warning(string detail, string recommendation, string? errorId = null) => new(BuildKitCheckStatus.Warning, detail, recommendation, errorId);

    public static Finding Fail(string detail, string? recommendation, string? errorId = null) => new(BuildKitCheckStatus.Fail, detail, recommendation, errorId);

    public static Finding Fail(BuildKitException error) => Fail(error.Message.Split("\n\n")[0], error.RecommendedAction, error.ErrorId);

    /// <summary>There is nothing to check.</summary>
    public static Finding Skip(string reason) => new(BuildKitCheckStatus.Skipped, reason) { Obstacle = reason };

    /// <summary>Another check stands in the way.</summary>
    public static Finding Blocked(string obstacle) => new(BuildKitCheckStatus.Skipped, $"Not checked: {obstacle}") { Obstacle = obstacle };
}
