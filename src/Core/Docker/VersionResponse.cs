namespace BuildKit.Docker;

/// <summary>What <c>GET /version</c> tells of the Engine, as far as it is used.</summary>
internal sealed record VersionResponse
{
    public string Version { get; init; } = string.Empty;

    public string ApiVersion { get; init; } = string.Empty;

    /// <summary>The oldest API version that the Engine still accepts.</summary>
    public string? MinAPIVersion { get; init; }

    public string? Os { get; init; }

    public string? Arch { get; init; }
}
