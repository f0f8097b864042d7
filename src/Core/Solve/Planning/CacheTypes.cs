namespace BuildKit.Solve.Planning;

/// <summary>One kind of place for cached results.</summary>
/// <param name="Type">Its name.</param>
/// <param name="ImportNeeds">The attribute without which it can't be read from; null where it is not read from under this name.</param>
/// <param name="ExportNeeds">The attribute without which it can't be written to; empty for none.</param>
/// <param name="Complete">Adds to the attributes what the environment tells; says whether the entry is of use then.</param>
internal sealed record CacheType(
    string Type, string? ImportNeeds, string ExportNeeds, Func<Dictionary<string, string>, SolveDaemon, CancellationToken, Task<bool>> Complete);

/// <summary>The places that docker and BuildKit know; others are for the daemon to judge.</summary>
internal static class CacheTypes
{
    public static IReadOnlyList<CacheType> Rows { get; } =
    [
        new("registry", "ref", "ref", AsItIs),
        new("inline", null, "", AsItIs),
        new("local", "src", "dest", AsItIs),
        new("gha", "", "", (attributes, daemon, _) => Task.FromResult(GithubCache.Complete(attributes, daemon.Variable))),
        new("s3", "", "", AwsCredentials.AddToAsync),
        // Its defaults are the daemon's own variables (moby/buildkit cache/remotecache/azblob).
        new("azblob", "", "", AsItIs),
    ];

    public static CacheType? Find(string type) => Rows.FirstOrDefault(row => row.Type == type);

    private static Task<bool> AsItIs(Dictionary<string, string> attributes, SolveDaemon daemon, CancellationToken cancellationToken) => Task.FromResult(true);
}
