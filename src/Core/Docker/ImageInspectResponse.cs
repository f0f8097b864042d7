namespace BuildKit.Docker;

/// <summary>What <c>GET /images/{name}/json</c> tells of an image, as far as it is used.</summary>
internal sealed record ImageInspectResponse
{
    /// <summary>The digest of the config with the classic store, of the manifest or index with the containerd store.</summary>
    public string ID { get; init; } = string.Empty;

    public IReadOnlyList<string>? RepoDigests { get; init; }

    public string? Os { get; init; }

    public string? Architecture { get; init; }

    public string? Variant { get; init; }

    /// <summary>Bytes.</summary>
    public long Size { get; init; }

    /// <summary>The image's platform; null where the Engine does not tell, as the containerd store does of an image whose layers it took from another one (seen on 28.5).</summary>
    public PlatformSpecifier? Platform => PlatformJson.Specifier(Os, Architecture, Variant);

    /// <summary>The digests under which the Engine knows the image in a repository.</summary>
    public IEnumerable<string> DigestsIn(ImageReference reference)
    {
        foreach (var name in RepoDigests ?? [])
        {
            // The Engine writes names as people do, "busybox@sha256:…", and the containerd store with the tag too where it was pulled by both.
            if (ImageReference.TryParse(name) is { Digest: { } digest } known && known.Repository == reference.Repository)
                yield return digest;
        }
    }
}
