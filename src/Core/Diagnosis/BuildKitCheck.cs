namespace BuildKit.Diagnosis;

/// <summary>What one check of <see cref="BuildKitDoctor"/> found.</summary>
public sealed record BuildKitCheck
{
    /// <summary>Which check, one of <see cref="BuildKitDoctor.CheckNames"/>; stable, so that scripts can match it.</summary>
    public required string Name { get; init; }

    /// <summary>How it ended.</summary>
    public required BuildKitCheckStatus Status { get; init; }

    /// <summary>What was seen, in a sentence or two with the figures; for <see cref="BuildKitCheckStatus.Skipped"/> why it was not checked. It never holds a secret.</summary>
    public required string Detail { get; init; }

    /// <summary>What to do; null where there is nothing to do.</summary>
    public string? Recommendation { get; init; }

    /// <summary>The id of the error behind it, such as <c>BuildKit.ConnectionRefused</c>; null where there was none.</summary>
    public string? ErrorId { get; init; }

    /// <summary>The builder: its name, or the address. Null for checks of this side, and while it is not known which builder is meant.</summary>
    public string? Builder { get; init; }

    /// <summary>The node of a builder that has nodes with names; null otherwise.</summary>
    public string? Node { get; init; }

    /// <summary>What it is about beyond the builder: a registry, for checks of credentials; null otherwise.</summary>
    public string? Target { get; init; }

    /// <summary>How long the check took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The check in a line.</summary>
    /// <returns>Status, name and detail.</returns>
    public override string ToString() => $"{Status}: {Name}: {Detail}";
}
