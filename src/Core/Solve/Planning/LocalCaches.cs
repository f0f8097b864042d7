using System.Text;
using BuildKit.Oci;
using BuildKit.Session.Content;
using BuildKit.Session.FileSend;

namespace BuildKit.Solve.Planning;

/// <summary>Caches in a local directory (<c>type=local</c>): an OCI layout that the session's content service serves (moby/buildkit client/solve.go).</summary>
internal static class LocalCaches
{
    private const string ManifestKey = "cache.manifest";
    private const string DefaultTag = "latest";

    /// <summary>Adds a cache to read from, with the absolute path <c>src</c> and optionally <c>digest</c> or <c>tag</c>. One that is not there is warned of, and left out.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidCache</c>.</exception>
    public static void AddImport(SolvePlan plan, SolveCache cache)
    {
        var layout = new OciLayout(Demand(cache, "src", "-CacheFrom"));
        if (Resolve(plan, layout, cache) is not { } digest)
            return;
        var id = AddStore(plan, layout, isWritable: false);
        plan.CacheImports.Add(With(cache, ("src", id), ("digest", digest.ToString())));
    }

    /// <summary>Adds a cache to write to, with the absolute path <c>dest</c> and optionally <c>tag</c>; its index is brought up to date after the build.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidCache</c>, or the destination is no directory for a cache.</exception>
    public static void AddExport(SolvePlan plan, SolveCache cache)
    {
        var layout = new OciLayout(Demand(cache, "dest", "-CacheTo"));
        layout.DemandUpdatable();
        var id = AddStore(plan, layout, isWritable: true);
        plan.CacheExports.Add(With(cache, ("dest", id)));
        var tag = cache.Attributes.GetValueOrDefault("tag") is { Length: > 0 } given ? given : DefaultTag;
        plan.AfterSolve.Add(new LayoutUpdate(ContentStores.Of(plan).Find(StoreId(id))!, response => Read(layout, response, tag)));
    }

    private static OciDigest? Resolve(SolvePlan plan, OciLayout layout, SolveCache cache)
    {
        var tag = cache.Attributes.GetValueOrDefault("tag") is { Length: > 0 } given ? given : DefaultTag;
        if (cache.Attributes.GetValueOrDefault("digest") is { Length: > 0 } text)
        {
            if (!OciDigest.TryParse(text, out var digest))
                throw Invalid($"'{text}' is no digest of a cache.", "Write it like sha256: and 64 hexadecimal digits, or leave it out.", text);
            return Present(digest);
        }
        try
        {
            if (OciLayout.Open(layout.Path).ReadIndex().Find(tag) is { } found)
                return Present(found.Digest);
            plan.Warnings.Add($"The local cache '{layout.Path}' has no entry '{tag}': the build goes on without it.");
        }
        catch (BuildKitException e)
        {
            plan.Warnings.Add($"The local cache '{layout.Path}' can't be used, and the build goes on without it: {e.Message}");
        }
        return null;

        OciDigest? Present(OciDigest digest)
        {
            if (File.Exists(layout.BlobPath(digest)))
                return digest;
            plan.Warnings.Add($"The local cache '{layout.Path}' has no blob {digest}: the build goes on without it.");
            return null;
        }
    }

    private static LayoutRoot? Read(OciLayout layout, IDictionary<string, string> response, string tag)
    {
        // A cache that could not be written and was allowed to fail (ignore-error) is not mentioned.
        if (!response.TryGetValue(ManifestKey, out var text) || text.Length == 0)
            return null;
        try
        {
            return new LayoutRoot(OciDescriptor.Parse(Encoding.UTF8.GetBytes(text)), [OciImageName.FromTag(tag)]);
        }
        catch (FormatException e)
        {
            throw ExportErrors.Protocol(layout.Path, $"the cache's descriptor can't be read: {e.Message}");
        }
    }

    /// <summary>Offers a directory to the daemon; a cache that is both read and written is one store.</summary>
    /// <returns>What stands for the path on the wire.</returns>
    private static string AddStore(SolvePlan plan, OciLayout layout, bool isWritable)
    {
        var id = WirePath(layout.Path);
        var service = ContentStores.Of(plan);
        var store = service.Find(StoreId(id));
        if (store is null)
            service.Add(StoreId(id), store = new ContentStore(layout));
        store.IsWritable |= isWritable;
        return id;
    }

    // The daemon asks for a store by this name, in a header, which holds nothing but printable ASCII; buildx fails with other paths.
    private static string WirePath(string path) => path.All(c => c is > ' ' and <= '~' and not '%') ? path : Uri.EscapeDataString(path);

    private static string StoreId(string wirePath) => $"local:{wirePath}";

    private static string Demand(SolveCache cache, string attribute, string parameter)
    {
        var path = cache.Attributes.GetValueOrDefault(attribute);
        if (string.IsNullOrEmpty(path))
            throw Invalid($"A local cache needs a directory: {attribute}.", $"Add it: {parameter} type=local,{attribute}=cache.", null);
        return Path.IsPathFullyQualified(path) ? path : throw Invalid($"'{path}' is not an absolute path.", "Give the whole path of the cache's directory.", path);
    }

    private static SolveCache With(SolveCache cache, params (string Key, string Value)[] attributes)
    {
        var all = new Dictionary<string, string>(cache.Attributes);
        foreach (var (key, value) in attributes)
            all[key] = value;
        return cache with { Attributes = all };
    }

    private static BuildKitException Invalid(string message, string action, string? target) =>
        new("BuildKit.InvalidCache", BuildKitErrorCategory.InvalidArgument, message, action) { Target = target };
}
