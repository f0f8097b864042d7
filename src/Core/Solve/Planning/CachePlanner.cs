using System.Text.Json;
using BuildKit.Solve.Exporters;

namespace BuildKit.Solve.Planning;

/// <summary>Where cached results come from and go to (docker/buildx build/opt.go, moby/buildkit client/solve.go).</summary>
internal static class CachePlanner
{
    private const string Inline = "inline";
    private const string Local = "local";

    private static readonly string[] Modes = ["min", "max"];

    /// <summary>Caches that came with BuildKit 0.10 and 0.11; older daemons fail on them, and buildx leaves them out.</summary>
    private static readonly string[] UnknownBefore011 = ["gha", "s3"];

    /// <summary>Adds both.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidCache</c>, or <c>BuildKit.CacheExportNotSupported</c>.</exception>
    public static async Task AddToAsync(SolvePlan plan, SolveRequest request, SolveDaemon daemon, CancellationToken cancellationToken)
    {
        foreach (var cache in Exports(request))
        {
            Validate(cache, isExport: true);
            RefuseWhereUnsupported(cache, daemon);
            if (await CompleteAsync(plan, cache, daemon, cancellationToken).ConfigureAwait(false) is not { } complete)
                continue;
            if (complete.Type == Local)
                LocalCaches.AddExport(plan, complete);
            else
                plan.CacheExports.Add(complete);
        }

        foreach (var cache in request.CacheFrom)
        {
            Validate(cache, isExport: false);
            if (await CompleteAsync(plan, cache, daemon, cancellationToken).ConfigureAwait(false) is not { } complete)
                continue;
            if (complete.Type == Local)
                LocalCaches.AddImport(plan, complete);
            else
                plan.CacheImports.Add(complete);
        }

        // The frontend imports the caches; those of the solve message are for builds without one.
        if (plan.CacheImports.Count > 0)
            plan.FrontendAttributes["cache-imports"] = JsonSerializer.Serialize(plan.CacheImports.Select(cache => new
            {
                cache.Type,
                Attrs = new SortedDictionary<string, string>(cache.Attributes.ToDictionary(), StringComparer.Ordinal),
            }));
    }

    private static IEnumerable<SolveCache> Exports(SolveRequest request)
    {
        var isInline = GoBoolean.Parse(request.BuildArgs.GetValueOrDefault("BUILDKIT_INLINE_CACHE")) == true && request.CacheTo.All(cache => cache.Type != Inline);
        return isInline ? request.CacheTo.Append(new SolveCache { Type = Inline }) : request.CacheTo;
    }

    private static async Task<SolveCache?> CompleteAsync(SolvePlan plan, SolveCache cache, SolveDaemon daemon, CancellationToken cancellationToken)
    {
        if (daemon.IsOlderThan011 && UnknownBefore011.Contains(cache.Type))
        {
            plan.Warnings.Add($"The cache type={cache.Type} is left out: this daemon's BuildKit is older than 0.11.");
            return null;
        }
        var attributes = cache.Attributes.ToDictionary();
        if (CacheTypes.Find(cache.Type) is not { } row || await row.Complete(attributes, daemon, cancellationToken).ConfigureAwait(false))
            return cache with { Attributes = attributes };
        plan.Warnings.Add($"The cache type={cache.Type} is left out: its service is known within GitHub Actions alone, or with a token and a url.");
        return null;
    }

    private static void Validate(SolveCache cache, bool isExport)
    {
        var row = CacheTypes.Find(cache.Type);
        var needed = row is null ? "" : isExport ? row.ExportNeeds : row.ImportNeeds;
        if (needed is null)
            throw Invalid(cache, $"A cache of type '{cache.Type}' is read as a part of the image it is in.", "Name that image: -CacheFrom registry.example.com/app:1.");
        if (needed.Length > 0 && string.IsNullOrEmpty(cache.Attributes.GetValueOrDefault(needed)))
            throw Invalid(
                cache, $"The cache of type '{cache.Type}' needs {needed}.",
                $"Write it like {(isExport ? "-CacheTo" : "-CacheFrom")} 'type={cache.Type},{needed}={(needed == "ref" ? "registry.example.com/app:cache" : "./cache")}'.");
        if (isExport && cache.Attributes.TryGetValue("mode", out var mode) && !Modes.Contains(mode))
            // The daemon would take it for min, in silence.
            throw Invalid(cache, $"There is no cache of mode '{mode}'.", "mode=min keeps the steps of the result, mode=max all of them.");
    }

    private static void RefuseWhereUnsupported(SolveCache cache, SolveDaemon daemon)
    {
        if (daemon.Store == DaemonStore.EngineGraphdriver && cache.Type != Inline)
            throw new BuildKitException(
                "BuildKit.CacheExportNotSupported", BuildKitErrorCategory.NotSupported,
                $"This Engine keeps its images in the classic store, which can't export a cache of type '{cache.Type}'.",
                $"Use -CacheTo type=inline, switch the Engine to the containerd image store {ExporterTable.ContainerdStoreSetting}, or build with a standalone buildkitd.")
            { Target = cache.Type };
    }

    private static BuildKitException Invalid(SolveCache cache, string message, string action) =>
        new("BuildKit.InvalidCache", BuildKitErrorCategory.InvalidArgument, message, action) { Target = cache.Type };
}
