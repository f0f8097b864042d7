namespace BuildKit.Oci;

/// <summary>An index lists several images, and which of them is meant can't be told.</summary>
public sealed class OciImagesDifferException : BuildKitException
{
    private const int Shown = 20;

    internal OciImagesDifferException(string layout, string what, IReadOnlyList<OciIndexEntry> choices, string recommendedAction)
        : base("BuildKit.OciImagesDiffer", BuildKitErrorCategory.InvalidArgument, $"{what}\n\n{Table(choices)}", recommendedAction)
    {
        Choices = choices;
        Target = layout;
    }

    /// <summary>What could be meant: one entry for each image, with all names in <see cref="OciIndexEntry.OtherNames"/> that are not its own.</summary>
    public IReadOnlyList<OciIndexEntry> Choices { get; }

    private static string Table(IReadOnlyList<OciIndexEntry> choices)
    {
        var rows = choices.Take(Shown).Select(choice => (
            Name: string.Join(", ", new[] { choice.ImageName ?? choice.RefName ?? "(no name)" }.Concat(choice.OtherNames)),
            What: choice.Platform?.ToString() ?? choice.ArtifactType ?? choice.Kind.ToString().ToLowerInvariant(),
            choice.Digest)).ToList();
        var (name, what) = (rows.Max(row => row.Name.Length), rows.Max(row => row.What.Length));
        var lines = rows.Select(row => $"  {row.Name.PadRight(name)}  {row.What.PadRight(what)}  {row.Digest}");
        if (choices.Count > Shown)
            lines = lines.Append($"  … and {choices.Count - Shown} more");
        return string.Join('\n', lines);
    }
}
