namespace BuildKit.Docker;

/// <summary>One line of the Engine's progress streams (moby <c>api/types/jsonstream</c>), as far as it is used.</summary>
internal sealed record JSONMessage
{
    public string? Stream { get; init; }

    public string? Status { get; init; }

    public string? ID { get; init; }

    public JSONError? ErrorDetail { get; init; }

    public string? Error { get; init; }
}

internal sealed record JSONError
{
    public int Code { get; init; }

    public string? Message { get; init; }
}
