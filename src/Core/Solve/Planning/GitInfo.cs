using BuildKit.Files;
namespace BuildKit.Solve.Planning;

/// <summary>
/// What git knows of the context, for the provenance (<c>vcs:…</c>) and, where <c>BUILDX_GIT_LABELS</c> asks for them, for the image's labels (docker/buildx build/git.go).
/// A context outside of a work tree costs a few looks at the file system, one inside three short runs of <c>git</c> side by side.
/// </summary>
internal static class GitInfo
{
    private const string RevisionLabel = "label:org.opencontainers.image.revision";
    private const string SourceLabel = "label:org.opencontainers.image.source";
    private const string DockerfileLabel = "label:com.docker.image.source.entrypoint";

    public static async Task AddToAsync(SolvePlan plan, SolveRequest request, GitSettings settings, CancellationToken cancellationToken)
    {
        if ((!settings.Info && !settings.Labels) || request.Context is not { } context || !Directory.Exists(context) || !GitWorkTree.IsLikely(context))
            return;
        try
        {
            if (await GitWorkTree.FindAsync(context, settings.CheckDirty, cancellationToken).ConfigureAwait(false) is { } tree)
                Add(plan, settings, tree, request.DockerfileText is null ? request.Dockerfile ?? Path.Combine(context, "Dockerfile") : null);
        }
        catch (GitException e)
        {
            plan.Warnings.Add($"What git knows of the context was not recorded: {e.Message}. BUILDX_GIT_INFO=0 asks for none.");
        }
    }

    private static void Add(SolvePlan plan, GitSettings settings, GitWorkTree tree, string? dockerfile)
    {
        var attributes = plan.FrontendAttributes;
        if (settings.Labels)
        {
            SetIfKnown(RevisionLabel, tree.Revision);
            SetIfKnown(SourceLabel, tree.RemoteUrl);
            SetIfKnown(DockerfileLabel, dockerfile is null ? null : tree.Relative(RealPath.Of(dockerfile)));
        }
        if (!settings.Info)
            return;
        SetIfKnown("vcs:revision", tree.Revision);
        SetIfKnown("vcs:source", tree.RemoteUrl);
        foreach (var source in plan.Sources)
            SetIfKnown($"vcs:localdir:{source.Name}", source.Directory is null ? null : tree.Relative(RealPath.Of(source.Directory)));

        void SetIfKnown(string name, string? value)
        {
            if (value is not null)
                attributes[name] = value;
        }
    }
}
