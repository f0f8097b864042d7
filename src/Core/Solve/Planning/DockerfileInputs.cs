using BuildKit.Session.FileSync;

namespace BuildKit.Solve.Planning;

/// <summary>What to build: the context and the Dockerfile, for <c>dockerfile.v0</c> (moby/buildkit frontend/dockerui, docker/buildx build/opt.go).</summary>
internal static class DockerfileInputs
{
    private const string ContextSource = "context";
    private const string DockerfileSource = "dockerfile";
    private const string DefaultFileName = "Dockerfile";

    /// <summary>Adds the context and the Dockerfile.</summary>
    /// <exception cref="BuildKitException">The context or the Dockerfile does not exist, or can't be one.</exception>
    public static async Task AddToAsync(SolvePlan plan, SolveRequest request, SolveDaemon daemon, CancellationToken cancellationToken)
    {
        var isArchive = false;
        if (request.ContextArchive is { } archive)
        {
            request = await ContextArchives.AddToAsync(plan, request, archive, cancellationToken).ConfigureAwait(false);
            isArchive = request.Context is not null;
        }
        if (request.DockerfileText is null && request.Dockerfile is { } address && DockerfileUrl.IsUrl(address))
            request = request with { DockerfileText = await DockerfileUrl.FetchAsync(address, cancellationToken).ConfigureAwait(false) };

        var remote = request.Context is not null && SolveRequest.IsRemoteContext(request.Context);
        string? directory = null;
        if (remote)
        {
            plan.FrontendAttributes["context"] = request.Context!;
            FrontendCaps.AddForGit(plan, request.Context!, isNamed: false);
        }
        else if (request.Context is null)
        {
            plan.Sources.Add(FileSyncSource.FromFiles(ContextSource, new Dictionary<string, ReadOnlyMemory<byte>>()));
        }
        else
        {
            directory = request.Context;
            RefuseMissingContext(directory);
            // An Engine refuses the whole stream for such a name, without saying which.
            plan.Sources.Add(FileSyncSource.FromDirectory(ContextSource, directory) with { AllowNonUtf8Names = !daemon.IsEngine });
        }

        plan.FrontendAttributes["filename"] = AddDockerfile(plan, request, remote, directory);
        plan.SessionName = directory is not null ? Path.GetFileName(Path.TrimEndingDirectorySeparator(directory)) : isArchive ? "archive" : remote ? "remote" : DockerfileSource;
        plan.SharedKeyPath = directory;
    }

    private static string AddDockerfile(SolvePlan plan, SolveRequest request, bool remote, string? contextDirectory)
    {
        if (request.DockerfileText is not null)
        {
            plan.Sources.Add(FileSyncSource.FromFiles(
                DockerfileSource, new Dictionary<string, ReadOnlyMemory<byte>> { [DefaultFileName] = System.Text.Encoding.UTF8.GetBytes(request.DockerfileText) }));
            // Says that the Dockerfile comes from the session even where the context does not.
            plan.FrontendAttributes["dockerfilekey"] = DockerfileSource;
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
            plan.FrontendAttributes["dockerfilekey"] = DockerfileSource;
        plan.Sources.Add(FileSyncSource.FromDirectory(DockerfileSource, Path.GetDirectoryName(path)!));
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
}
