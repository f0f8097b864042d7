namespace BuildKit.Docker;

/// <summary>The body of <c>POST /containers/{id}/exec</c>.</summary>
internal sealed record ExecCreateParameters
{
    public bool AttachStdin { get; init; }

    public bool AttachStdout { get; init; }

    public bool AttachStderr { get; init; }

    public required IReadOnlyList<string> Cmd { get; init; }
}

/// <summary>The answer to it.</summary>
internal sealed record ExecCreateResponse
{
    public required string Id { get; init; }
}

/// <summary>The body of <c>POST /exec/{id}/start</c>.</summary>
internal sealed record ExecStartParameters
{
    public bool Detach { get; init; }

    public bool Tty { get; init; }
}

/// <summary>What <c>GET /exec/{id}/json</c> tells, as far as it is used.</summary>
internal sealed record ExecInspectResponse
{
    public bool Running { get; init; }
}
