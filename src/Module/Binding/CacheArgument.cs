using System.Collections;
using System.Management.Automation;
using BuildKit.Solve;

namespace BuildKit.Module.Binding;

/// <summary>Reads <c>-CacheFrom</c> and <c>-CacheTo</c>: strings as docker users write them (the name of an image alone is one in a registry), hashtables and <see cref="SolveCache"/>s.</summary>
internal static class CacheArgument
{
    private static readonly string[] PathAttributes = ["src", "dest"];

    /// <summary>Reads all values. What is wrong in one is not shown: it may be a piece of a credential.</summary>
    /// <param name="session">The session, against whose location the folders of local caches are resolved.</param>
    /// <param name="values">What was bound.</param>
    /// <returns>The caches, in order.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidCache</c>, or a folder that is no path of the file system.</exception>
    public static List<SolveCache> Read(SessionState session, IEnumerable<object?> values) =>
        SpecPieces.Join(values).SelectMany(Read).Select(cache => cache.Type == "local" ? WithPaths(session, cache) : cache).ToList();

    private static IEnumerable<SolveCache> Read(object? item) => item switch
    {
        SolveCache cache => [cache],
        IDictionary table => [FromPairs(StringTable.Read(table))],
        List<string> fields when fields.TrueForAll(field => !field.Contains('=', StringComparison.Ordinal)) =>
            fields.Where(field => field.Length > 0).Select(field => new SolveCache { Type = "registry", Attributes = new Dictionary<string, string> { ["ref"] = field } }),
        List<string> fields => [FromPairs(SpecPieces.ToPairs(fields, _ => Invalid("A part of a cache is not of the form name=value.")))],
        _ => throw Invalid("A cache is a text, a hashtable or a SolveCache."),
    };

    private static SolveCache FromPairs(Dictionary<string, string> given)
    {
        var pairs = given.DistinctBy(pair => pair.Key.ToLowerInvariant()).ToDictionary(pair => pair.Key.ToLowerInvariant(), pair => pair.Value);
        return pairs.Remove("type", out var type) && type.Length > 0
            ? new SolveCache { Type = type.ToLowerInvariant(), Attributes = pairs }
            : throw Invalid($"A cache with {(pairs.Count == 0 ? "nothing" : string.Join(", ", pairs.Keys.Order()))} has no type.");
    }

    private static SolveCache WithPaths(SessionState session, SolveCache cache)
    {
        var attributes = cache.Attributes.ToDictionary(pair => pair.Key, pair => pair.Value);
        foreach (var name in PathAttributes)
            if (attributes.TryGetValue(name, out var path) && path.Length > 0)
                attributes[name] = FileSystemPath.Resolve(session, path);
        return cache with { Attributes = attributes };
    }

    private static BuildKitException Invalid(string message) =>
        new("BuildKit.InvalidCache", BuildKitErrorCategory.InvalidArgument, message,
            "Write it like 'type=registry,ref=registry.example.com/app:cache', @{ type = 'local'; src = './cache' }, or the name of an image alone.");
}
