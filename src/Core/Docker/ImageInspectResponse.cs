namespace BuildKit.Docker;

/// <summary>What <c>GET /images/{name}/json</c> tells of an image, as far as it is used.</summary>
internal sealed record ImageInspectResponse
{
    /// <summary>The digest of the config with the classic store, of the manifest or index with the containerd store.</summary>
    public string ID { get; init; } = string.Empty;

    public IReadOnlyList<string>? RepoTags { get; init; }

    public IReadOnlyList<string>? RepoDigests { get; init; }

    public string? Os { get; init; }

    public string? Architecture { get; init; }

    public string? Variant { get; init; }

    /// <summary>Bytes.</summary>
    public long Size { get; init; }
}
