namespace BuildKit.Builders;

/// <summary>A rule by which a worker's cache is cleaned.</summary>
public sealed record BuildKitGcPolicy
{
    /// <summary>Whether it is about internal and frontend images too.</summary>
    public bool All { get; init; }

    /// <summary>How long an unused record is kept; null for no limit.</summary>
    public TimeSpan? KeepDuration { get; init; }

    /// <summary>Bytes that are always left to the cache; 0 for none.</summary>
    public long ReservedSpace { get; init; }

    /// <summary>Bytes that the cache may take; 0 for no limit.</summary>
    public long MaxUsedSpace { get; init; }

    /// <summary>Bytes of the disk to keep free; 0 for no limit.</summary>
    public long MinFreeSpace { get; init; }

    /// <summary>Which records it is about, such as <c>type==source.local</c>; none means all.</summary>
    public IReadOnlyList<string> Filters { get; init; } = [];
}
