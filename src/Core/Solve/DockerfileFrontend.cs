using BuildKit.Session.FileSync;

namespace BuildKit.Solve;

/// <summary>What the Dockerfile frontend is asked, and which local sources it may read.</summary>
/// <param name="Attributes">The frontend's options on the wire.</param>
/// <param name="Sources">The local sources, each under the name the daemon will ask for.</param>
/// <param name="SessionName">A name for the session: the context directory's as a rule.</param>
/// <param name="SharedKeyPath">The directory that identifies repeated builds of the same context; null where nothing is sent.</param>
internal sealed record FrontendPlan(
    IReadOnlyDictionary<string, string> Attributes, IReadOnlyList<FileSyncSource> Sources, string SessionName, string? SharedKeyPath);

/// <summary>Turns a request into options of <c>dockerfile.v0</c> (moby/buildkit frontend/dockerui, docker/buildx build/opt.go).</summary>
internal static class DockerfileFrontend
{
    public const string Name = "dockerfile.v0";

    private const string ContextSource = "context";
    private const string DockerfileSource = "dockerfile";
    private const string DefaultFileName = "Dockerfile";

    /// <summary>Plans a request for a daemon.</summary>
    /// <exception cref="BuildKitException">The context or the Dockerfile does not exist.</exception>
    public static FrontendPlan Plan(SolveRequest request, DaemonStore daemon)
    {
        var attributes = new Dictionary<string, string>();
        var sources = new List<FileSyncSource>();
        var (sessionName, sharedKeyPath) = AddInputs(request, daemon, attributes, sources);

        foreach (var (key, value) in request.BuildArgs)
            attributes[$"build-arg:{key}"] = value;
        foreach (var (key, value) in request.Labels)
            attributes[$"label:{key}"] = value;
        if (request.Target is not null)
            attributes["target"] = request.Target;
        if (request.Platforms.Count > 0)
            attributes["platform"] = string.Join(',', request.Platforms);
        if (request.NoCache)
            attributes["no-cache"] = string.Empty;
        if (request.Pull)
            attributes["image-resolve-mode"] = "pull";
        else if (daemon != DaemonStore.Buildkitd)
            attributes["image-resolve-mode"] = "local";
        if (daemon != DaemonStore.EngineGraphdriver && !NoDefaultAttestations())
            attributes["attest:provenance"] = "mode=min,inline-only=true";
        return new FrontendPlan(attributes, sources, sessionName, sharedKeyPath);
    }

    private static (string Name, string? SharedKeyPath) AddInputs(
        SolveRequest request, DaemonStore daemon, Dictionary<string, string> attributes, List<FileSyncSource> sources)
    {
        var remote = request.Context is not null && SolveRequest.IsRemoteContext(request.Context);
        string? directory = null;
        if (remote)
        {
            attributes["context"] = request.Context!;
        }
        else if (request.Context is null)
        {
            sources.Add(FileSyncSource.FromFiles(ContextSource, new Dictionary<string, ReadOnlyMemory<byte>>()));
        }
        else
        {
            directory = request.Context;
            RefuseMissingContext(directory);
            // An Engine refuses the whole stream for such a name, without saying which.
            sources.Add(FileSyncSource.FromDirectory(ContextSource, directory) with { AllowNonUtf8Names = daemon == DaemonStore.Buildkitd });
        }

        attributes["filename"] = AddDockerfile(request, remote, directory, attributes, sources);
        return directory is not null
            ? (Path.GetFileName(Path.TrimEndingDirectorySeparator(directory)), directory)
            : (remote ? "remote" : DockerfileSource, null);
    }

    private static string AddDockerfile(
        SolveRequest request, bool remote, string? contextDirectory, Dictionary<string, string> attributes, List<FileSyncSource> sources)
    {
        if (request.DockerfileText is not null)
        {
            sources.Add(FileSyncSource.FromFiles(
                DockerfileSource, new Dictionary<string, ReadOnlyMemory<byte>> { [DefaultFileName] = System.Text.Encoding.UTF8.GetBytes(request.DockerfileText) }));
            // Says that the Dockerfile comes from the session even where the context does not.
            attributes["dockerfilekey"] = DockerfileSource;
            return DefaultFileName;
        }

        if (remote && (request.Dockerfile is null || !Path.IsPathFullyQualified(request.Dockerfile)))
            return request.Dockerfile ?? DefaultFileName;

        var path = request.Dockerfile ?? DefaultDockerfile(contextDirectory);
        if (path is null || !File.Exists(path))
            throw new BuildKitException(
                "BuildKit.DockerfileNotFound", BuildKitErrorCategory.NotFound,
                path is null ? "There is neither a context nor a Dockerfile." : $"There is no Dockerfile at '{path}'.", "Name it with -Dockerfile.")
            { Target = path };
        if (remote)
            attributes["dockerfilekey"] = DockerfileSource;
        sources.Add(FileSyncSource.FromDirectory(DockerfileSource, Path.GetDirectoryName(path)!));
        return Path.GetFileName(path);
    }

    private static string? DefaultDockerfile(string? directory)
    {
        if (directory is null)
            return null;
        var path = Path.Combine(directory, DefaultFileName);
        // The lower-case name is accepted where the usual one is missing (moby/moby#10858).
        var lower = Path.Combine(directory, "dockerfile");
        return !File.Exists(path) && File.Exists(lower) ? lower : path;
    }

    private static void RefuseMissingContext(string directory)
    {
        if (Directory.Exists(directory))
            return;
        throw File.Exists(directory)
            ? new BuildKitException(
                "BuildKit.ContextNotDirectory", BuildKitErrorCategory.InvalidArgument, $"The context '{directory}' is a file, not a directory.",
                "Give the directory as -Context and the file as -Dockerfile.")
            { Target = directory }
            : new BuildKitException(
                "BuildKit.ContextNotFound", BuildKitErrorCategory.NotFound, $"There is no directory '{directory}' to use as context.",
                "Check the path; a context is a directory, a git repository or a URL.")
            { Target = directory };
    }

    private static bool NoDefaultAttestations() =>
        Environment.GetEnvironmentVariable("BUILDX_NO_DEFAULT_ATTESTATIONS") is "1" or "t" or "T" or "true" or "TRUE" or "True";
}
