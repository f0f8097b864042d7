namespace BuildKit.Session.FileSend;

/// <summary>Where an entry lies now, and what a person calls it: its place in the destination, not in the staging area that nobody asked for.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Root">The beginning of <paramref name="Path"/> that is shown as <paramref name="ShownRoot"/>.</param>
/// <param name="ShownRoot">What is shown instead, or null for the path as it is.</param>
internal readonly record struct EntryPath(string Path, string Root = "", string? ShownRoot = null)
{
    public string Shown => ShownRoot is null ? Path : string.Concat(ShownRoot, Path.AsSpan(Root.Length));

    public static implicit operator EntryPath(string path) => new(path);
}
