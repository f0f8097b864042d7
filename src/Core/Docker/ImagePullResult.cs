namespace BuildKit.Docker;

/// <summary>An image that an Engine has, as it was seen after the pull.</summary>
public sealed record ImagePullResult
{
    /// <summary>The whole name that was asked for.</summary>
    public required string Reference { get; init; }

    /// <summary>
    /// The digest of the manifest or index that the registry has under that name, <c>sha256:…</c>. Of a local image that was not pulled it is the one that the Engine remembers;
    /// null where it knows none, or several.
    /// </summary>
    public string? Digest { get; init; }

    /// <summary>The image's id in the Engine.</summary>
    public required string Id { get; init; }

    /// <summary>The image's platform, such as <c>linux/amd64</c>; null where the Engine does not tell.</summary>
    public string? Platform { get; init; }

    /// <summary>Bytes in the Engine's store, as it says.</summary>
    public long Size { get; init; }

    /// <summary>Whether the registry was asked, with success; false for a local image that was taken as it is.</summary>
    public bool Pulled { get; init; }

    /// <summary>Why a local image was taken although the registry was to be asked, or what the Engine does not tell of the image; null where there is nothing to say.</summary>
    public string? Warning { get; init; }
}
