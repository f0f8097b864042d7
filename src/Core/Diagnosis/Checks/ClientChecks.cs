using BuildKit.Builders;
using BuildKit.Builders.Store;
using BuildKit.Docker;

namespace BuildKit.Diagnosis.Checks;

/// <summary>What this side brings: the docker config, buildx's store, and the choice of the builder.</summary>
internal static class ClientChecks
{
    private static readonly TimeSpan LockLimit = TimeSpan.FromSeconds(2);

    public static async Task<Finding> DockerConfigAsync(Subject subject, CancellationToken cancellationToken)
    {
        var config = await DockerConfigFile.LoadAsync(DockerConfigFile.DefaultDirectory(subject.Request.Variable), cancellationToken).ConfigureAwait(false);
        subject.Config = config;
        if (!File.Exists(config.FilePath))
            return Finding.Pass($"There is no '{config.FilePath}': no registry, context or proxy is set by it.");
        var registries = RegistryCheck.Configured(config).Count;
        var context = config.CurrentContext is { } current ? $"the context in use is '{current}'" : "the context in use is the default one";
        return Finding.Pass($"'{config.FilePath}' names {Text.Count(registries, "registry", "registries")}; {context}.");
    }

    public static async Task<Finding> BuilderStoreAsync(Subject subject, CancellationToken cancellationToken)
    {
        var store = BuilderStore.Default(subject.Config!, subject.Request.Variable);
        var reader = store.Read();
        var names = reader.ListNames();
        if (names.Count == 0)
            return Finding.Pass($"There are no builders in '{store.Directory}'.");
        var broken = new List<BuildKitException>();
        foreach (var name in names)
        {
            try
            {
                reader.Find(name);
            }
            catch (BuildKitException e)
            {
                broken.Add(e);
            }
        }
        if (broken.Count > 0)
            return Finding.Fail(
                $"{broken.Count} of {Text.Count(names.Count, "builder")} in '{store.Directory}' can't be read. {broken[0].Message}",
                broken[0].RecommendedAction, broken[0].ErrorId);
        return await FindLockAsync(store, cancellationToken).ConfigureAwait(false)
            ?? Finding.Pass($"{Text.Count(names.Count, "builder")} in '{store.Directory}': {string.Join(", ", names)}.");
    }

    public static async Task<Finding> EndpointAsync(Subject subject, CancellationToken cancellationToken)
    {
        var request = subject.Request;
        if ((request.Connection?.Endpoint ?? request.Endpoint) is { } endpoint)
            subject.Target = new BuilderTarget(endpoint.Name, endpoint.Source, [new BuilderTargetNode(endpoint, null)]);
        else if (subject.Findings["DockerConfig"].Obstacle is { } obstacle)
            return Finding.Blocked(obstacle);
        else
        {
            var resolver = new EndpointResolver(request.Variable, File.Exists, static () => EndpointResolver.SessionBuilder);
            subject.Target = request.Node is { } node
                ? await resolver.ResolveNodeAsync(node, cancellationToken).ConfigureAwait(false)
                : await resolver.ResolveBuilderAsync(request.Builder, cancellationToken).ConfigureAwait(false);
        }

        var target = subject.Target;
        var places = string.Join(", ", target.Nodes.Select(node => node.Endpoint.Address));
        var chosen = target.Source switch
        {
            null => "as it was given",
            "default" => "the default, as no setting chooses another",
            var source => $"chosen by {source}",
        };
        if (target.Unavailable.Count > 0)
        {
            var failures = string.Join(" ", target.Unavailable.Select(failure => failure.Message));
            return Finding.Warning($"{places}, {chosen}. {failures}", target.Unavailable[0].RecommendedAction ?? "Remove that node (Remove-BuildKitBuilder -NodeName).", target.Unavailable[0].ErrorId);
        }
        return subject.Config is not null && FindHidden(target, subject) is { } hidden
            ? Finding.Warning($"{places}, {chosen}. {hidden}", "Remove $env:DOCKER_HOST, or name the builder with -Builder.")
            : Finding.Pass($"{places}, {chosen}.");
    }

    // The docker program warns of the same.
    private static string? FindHidden(BuilderTarget target, Subject subject)
    {
        if (target.Source != "$env:DOCKER_HOST")
            return null;
        var context = subject.Request.Variable("DOCKER_CONTEXT") is { Length: > 0 } variable ? variable : subject.Config!.CurrentContext;
        return context is null or "default" ? null : $"It hides the docker context '{context}', which is set as well.";
    }

    private static async Task<Finding?> FindLockAsync(BuilderStore store, CancellationToken cancellationToken)
    {
        if (!File.Exists(store.LockFile))
            return null;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LockLimit);
        try
        {
            using (await StoreLock.TakeAsync(store.LockFile, limit.Token).ConfigureAwait(false))
                return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Finding.Warning(
                $"The builders in '{store.Directory}' can be read, but somebody has held the lock for {Text.Time(LockLimit)}.",
                "Look for a docker buildx or a PowerShell that hangs; builders can't be made or removed meanwhile.", "BuildKit.BuilderStoreLocked");
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            return Finding.Warning(
                $"The builders in '{store.Directory}' can be read, but not changed by this user: {e.Message}",
                "Check the rights of the folder: a run of docker buildx with sudo may have left it to root.", "BuildKit.BuilderStoreUnreadable");
        }
    }
}
