namespace BuildKit.Oci.Editing;

/// <summary>Which image of a layout gets a name.</summary>
public sealed record OciReferenceOptions
{
    /// <summary>The name: <c>app:2</c> and <c>docker.io/library/app:2</c> are the same, and <c>2</c> is a tag alone.</summary>
    public required string Reference { get; init; }

    /// <summary>The image, by a name that it has, or by its digest, also that of a manifest within an index; null where there is one image only.</summary>
    public string? From { get; init; }

    /// <summary>Takes the name from an image that has it.</summary>
    public bool Force { get; init; }
}

/// <summary>What became of a name.</summary>
public sealed record OciReferenceResult
{
    /// <summary>The layout: a directory, an archive or an index file.</summary>
    public required string Layout { get; init; }

    /// <summary>The name.</summary>
    public required string Reference { get; init; }

    /// <summary>The image.</summary>
    public required string Digest { get; init; }

    /// <summary>Whether anything had to be changed.</summary>
    public required bool Changed { get; init; }

    /// <summary>The image that had the name before; null where none had.</summary>
    public string? PreviousDigest { get; init; }

    /// <summary>The names that the image has then.</summary>
    public IReadOnlyList<string> Names { get; init; } = new List<string>();
}
