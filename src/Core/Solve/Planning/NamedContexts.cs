using BuildKit.Docker;
using BuildKit.Oci;
using BuildKit.Session.Content;
using BuildKit.Session.FileSync;
using BuildKit.Solve.Exporters;

namespace BuildKit.Solve.Planning;

/// <summary>Build contexts with names (<c>--build-context</c>; docker/buildx build/opt.go, moby/buildkit frontend/dockerui/namedcontext.go).</summary>
internal static class NamedContexts
{
    private const string ImageScheme = "docker-image://";
    private const string TargetScheme = "target:";
    private const string DefaultTag = "latest";

    // The names under which the daemon asks for the main context and the Dockerfile.
    private static readonly string[] ReservedSources = ["context", "dockerfile"];

    /// <exception cref="BuildKitException">A name or a context that can't be, or does not exist.</exception>
    public static void AddTo(SolvePlan plan, SolveRequest request, SolveDaemon daemon)
    {
        foreach (var (given, source) in request.BuildContexts)
        {
            FrontendCaps.Add(plan, FrontendCaps.Contexts);
            var name = NormalizeName(given);
            if (!plan.FrontendAttributes.TryAdd($"context:{name}", ToAttribute(plan, daemon, name, source)))
                throw Invalid(given, $"There are two build contexts '{name}'.", "Give each a name of its own; 'app' and 'app:latest' are the same.");
        }
    }

    /// <summary>A name as the frontend looks for it: <c>docker.io/library/alpine:latest</c> is <c>alpine</c> (docker/buildx util/buildflags/context.go).</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidBuildContext</c>.</exception>
    public static string NormalizeName(string name)
    {
        var at = name.IndexOf('@', StringComparison.Ordinal);
        var hasDigest = at >= 0 && OciDigest.TryParse(name[(at + 1)..], out _);
        string whole;
        try
        {
            whole = ImageReference.Normalize(hasDigest ? name[..at] : name);
        }
        catch (BuildKitException e)
        {
            throw Invalid(name, $"A build context can't be called '{name}': it is named like an image. {e.Message}", "Write it like base, or like alpine:3.20 to replace that image.");
        }
        foreach (var prefix in new[] { "docker.io/library/", "docker.io/" })
        {
            if (whole.StartsWith(prefix, StringComparison.Ordinal))
            {
                whole = whole[prefix.Length..];
                break;
            }
        }
        var familiar = whole.EndsWith(":" + DefaultTag, StringComparison.Ordinal) ? whole[..^(DefaultTag.Length + 1)] : whole;
        return hasDigest ? familiar + name[at..] : familiar;
    }

    private static string ToAttribute(SolvePlan plan, SolveDaemon daemon, string name, string source)
    {
        if (source.StartsWith(ImageScheme, StringComparison.Ordinal))
            return source;
        if (SolveRequest.IsRemoteContext(source))
        {
            FrontendCaps.AddForGit(plan, source, isNamed: true);
            return source;
        }
        if (source.StartsWith(OciLayoutReference.Scheme, StringComparison.Ordinal))
            return AddLayout(plan, daemon, name, OciLayoutReference.Parse(source));
        if (source.StartsWith(TargetScheme, StringComparison.Ordinal))
            throw Invalid(
                name, $"The build context '{name}' is '{source}': another target's result, and this build has no other targets.",
                "A stage of the same Dockerfile needs no context: name it in FROM or COPY --from.");
        return AddDirectory(plan, daemon, name, source);
    }

    private static string AddDirectory(SolvePlan plan, SolveDaemon daemon, string name, string path)
    {
        if (!Path.IsPathFullyQualified(path) || !Directory.Exists(path))
            throw File.Exists(path)
                ? Invalid(path, $"The build context '{name}' is the file '{path}', and a context is a directory.", "Name the directory that holds it.")
                : new BuildKitException(
                    "BuildKit.ContextNotFound", BuildKitErrorCategory.NotFound, $"There is no directory '{path}' to use as build context '{name}'.",
                    "Check the path; a build context is a directory, docker-image://…, oci-layout://…, or a git or http URL.")
                { Target = path };
        var sourceName = ReservedSources.Contains(name) ? "_" + name : name;
        plan.Sources.Add(FileSyncSource.FromDirectory(sourceName, path) with { AllowNonUtf8Names = !daemon.IsEngine });
        return $"local:{sourceName}";
    }

    private static string AddLayout(SolvePlan plan, SolveDaemon daemon, string name, OciLayoutReference reference)
    {
        if (daemon.Store == DaemonStore.EngineGraphdriver)
            throw new BuildKitException(
                "BuildKit.OciLayoutNotSupported", BuildKitErrorCategory.NotSupported,
                $"The build context '{name}' is an OCI layout, and an Engine that keeps its images in the classic store reads none.",
                $"Switch the Engine to the containerd image store {ExporterTable.ContainerdStoreSetting}, or build with a standalone buildkitd.")
            { Target = reference.Path };
        var store = new ContentStore(OciLayout.Open(reference.Path));
        var digest = OciDigest.TryParse(reference.Digest, out var given) ? given : Resolve(plan, name, store.Layout, reference.Tag);
        if (store.Find(digest) is null)
            throw OciErrors.BlobNotFound(store.Layout.Path, digest);
        var id = Identifier.New();
        ContentStores.Of(plan).Add($"oci:{id}", store);
        var tag = reference.Tag ?? (reference.Digest is null ? DefaultTag : null);
        return new OciLayoutReference(id, tag, digest.ToString()).ToString();
    }

    private static OciDigest Resolve(SolvePlan plan, string name, OciLayout layout, string? tag)
    {
        var index = layout.ReadIndex();
        var manifests = index.Manifests;
        if (index.Find(tag ?? DefaultTag) is { } found)
            return found.Digest;
        if (manifests.Count == 0)
            throw OciErrors.Empty(layout.Path);
        if (manifests.Count > 1)
            throw OciErrors.ImageNotFound(layout.Path, tag ?? DefaultTag, manifests);
        if (tag is not null && manifests[0].Name is { } other)
            plan.Warnings.Add($"The build context '{name}' asks for '{tag}', which the OCI layout '{layout.Path}' does not have: its only image '{other}' is taken.");
        return manifests[0].Digest;
    }

    private static BuildKitException Invalid(string target, string message, string action) =>
        new("BuildKit.InvalidBuildContext", BuildKitErrorCategory.InvalidArgument, message, action) { Target = target };
}
