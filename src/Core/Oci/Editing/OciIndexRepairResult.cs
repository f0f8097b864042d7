namespace BuildKit.Oci.Editing;

/// <summary>What a repair did, or would do.</summary>
public sealed record OciIndexRepairResult
{
    /// <summary>The layout: a directory, an archive or an index file.</summary>
    public required string Layout { get; init; }

    /// <summary>Whether anything had to be changed.</summary>
    public required bool Changed { get; init; }

    /// <summary>What the layout's one entry points to.</summary>
    public required string Digest { get; init; }

    /// <summary>The type of that.</summary>
    public required string MediaType { get; init; }

    /// <summary>The name that it has; null where it had none.</summary>
    public required string? Name { get; init; }

    /// <summary>Further names, kept in the annotation <see cref="OciIndexEntry.OtherNamesAnnotation"/>.</summary>
    public IReadOnlyList<string> OtherNames { get; init; } = new List<string>();

    /// <summary>Names that are gone.</summary>
    public IReadOnlyList<string> RemovedNames { get; init; } = new List<string>();

    /// <summary>Digests that the index does not list any more.</summary>
    public IReadOnlyList<string> RemovedDigests { get; init; } = new List<string>();

    /// <summary>How many entries there were.</summary>
    public required int EntriesBefore { get; init; }

    /// <summary>How many there are: one.</summary>
    public required int EntriesAfter { get; init; }

    /// <summary>Where the old index was kept; null where it was not.</summary>
    public string? Backup { get; init; }

    /// <summary>What is done, in a line.</summary>
    /// <returns>The line.</returns>
    public override string ToString()
    {
        var parts = new List<string> { Changed ? $"Make one entry of {EntriesBefore}: {Digest}{(Name is null ? "" : $", named {Name}")}" : "Nothing to repair" };
        Add("in an annotation", OtherNames);
        Add("forgetting", RemovedNames);
        Add("no longer listing", RemovedDigests);
        return string.Join("; ", parts);

        void Add(string what, IReadOnlyList<string> items)
        {
            if (items.Count > 0)
                parts.Add($"{what}: {string.Join(", ", items.Take(10))}{(items.Count > 10 ? $" and {items.Count - 10} more" : "")}");
        }
    }
}
