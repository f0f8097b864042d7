namespace BuildKit.Oci.Copying;

/// <summary>What a copy did.</summary>
public sealed record OciCopyResult
{
    /// <summary>Where the image was.</summary>
    public required string Source { get; init; }

    /// <summary>Where it is.</summary>
    public required string Destination { get; init; }

    /// <summary>The digest of what was put there: the source's, unless only a part of an index was copied.</summary>
    public required string Digest { get; init; }

    /// <summary>The media type of that.</summary>
    public required string MediaType { get; init; }

    /// <summary>Of that manifest or index, in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>What it runs on.</summary>
    public IReadOnlyList<OciPlatform> Platforms { get; init; } = new List<OciPlatform>();

    /// <summary>How many blobs were copied.</summary>
    public int BlobsCopied { get; init; }

    /// <summary>How many were there already.</summary>
    public int BlobsSkipped { get; init; }

    /// <summary>How many a registry took over from another of its repositories.</summary>
    public int BlobsMounted { get; init; }

    /// <summary>How many signatures and the like went along, because they refer to the image.</summary>
    public int Referrers { get; init; }

    /// <summary>How many bytes of blobs were copied.</summary>
    public long Bytes { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }
}
