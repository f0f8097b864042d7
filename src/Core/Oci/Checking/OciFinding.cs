namespace BuildKit.Oci.Checking;

/// <summary>How bad a finding is.</summary>
public enum OciFindingSeverity
{
    /// <summary>Nothing is wrong, but somebody may want to know.</summary>
    Information,

    /// <summary>Some tools refuse the layout, or do another thing than was meant.</summary>
    Warning,

    /// <summary>An image can't be used, or is not what it says it is.</summary>
    Error,
}

/// <summary>Something that was found in a layout.</summary>
public sealed record OciFinding
{
    /// <summary>How bad it is.</summary>
    public required OciFindingSeverity Severity { get; init; }

    /// <summary>What it is, in a word that does not change: <c>BlobMissing</c>. docs/oci-layouts.md has them all.</summary>
    public required string Id { get; init; }

    /// <summary>Where it is: <c>index.json/manifests[0]/layers[2]</c>.</summary>
    public required string Path { get; init; }

    /// <summary>The blob that it is about; null where it is about none.</summary>
    public string? Digest { get; init; }

    /// <summary>What it is, in a sentence.</summary>
    public required string Message { get; init; }

    /// <summary>What to do about it.</summary>
    public required string Recommendation { get; init; }

    /// <summary>The layout: a directory, an archive or an index file.</summary>
    public required string Layout { get; init; }
}

/// <summary>What a check found.</summary>
public sealed record OciLayoutReport
{
    /// <summary>The layout: a directory, an archive or an index file.</summary>
    public required string Layout { get; init; }

    /// <summary>What was found, in the order of the index; what is about no entry comes last.</summary>
    public required IReadOnlyList<OciFinding> Findings { get; init; }

    /// <summary>How many blobs are reached from the index and are there.</summary>
    public required int BlobCount { get; init; }

    /// <summary>How many bytes they have.</summary>
    public required long Bytes { get; init; }

    /// <summary>Whether nothing was found that is an error.</summary>
    public bool Passed => !Findings.Any(finding => finding.Severity == OciFindingSeverity.Error);
}

/// <summary>How far a check has come.</summary>
/// <param name="Bytes">How many bytes have been hashed.</param>
/// <param name="Total">How many there are.</param>
public readonly record struct OciCheckProgress(long Bytes, long Total);
