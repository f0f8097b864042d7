namespace BuildKit.Docker;

/// <summary>One line of the Engine's progress streams (moby <c>api/types/jsonstream</c>), as far as it is used.</summary>
internal sealed record JSONMessage
{
    public string? Stream { get; init; }

    public string? Status { get; init; }

    public string? ID { get; init; }

    public JSONProgress? ProgressDetail { get; init; }

    public PushResult? Aux { get; init; }

    public JSONError? ErrorDetail { get; init; }

    public string? Error { get; init; }

    /// <summary>Why the Engine gave up; null for a message that is no error.</summary>
    public string? Failure => ErrorDetail?.Message ?? Error;
}

/// <summary>How far a layer is; both numbers are 0 where it does not move.</summary>
internal sealed record JSONProgress
{
    public long Current { get; init; }

    public long Total { get; init; }

    /// <summary>What is counted, such as <c>s</c> for seconds; bytes where nothing is said.</summary>
    public string? Units { get; init; }
}

/// <summary>What a push says of the manifest it has put (moby <c>api/types.PushResult</c>).</summary>
internal sealed record PushResult
{
    public string? Digest { get; init; }
}

internal sealed record JSONError
{
    public string? Message { get; init; }
}
