using BuildKit.Builders.Drivers;
using BuildKit.Builders.Store;
using BuildKit.Docker;

namespace BuildKit.Builders;

/// <summary>
/// Finds the daemon that is meant. The first that is set wins: what the caller named (an address, a builder of buildx's store or a docker context) →
/// <see cref="SessionBuilder"/> → <c>$BUILDX_BUILDER</c> → <c>$BUILDKIT_HOST</c> → the current builder of buildx's store →
/// <c>$DOCKER_HOST</c> with <c>$DOCKER_TLS_VERIFY</c> and <c>$DOCKER_CERT_PATH</c> → <c>$DOCKER_CONTEXT</c> → the docker config's current context → the default socket.
/// </summary>
public sealed class EndpointResolver
{
    private readonly Func<string, string?> _getEnvironmentVariable;
    private readonly Func<string, bool> _fileExists;
    private readonly Func<string?> _getSessionBuilder;

    /// <summary>Creates a resolver that reads this process's environment and this user's docker config.</summary>
    public EndpointResolver()
        : this(Environment.GetEnvironmentVariable, File.Exists, static () => SessionBuilder)
    {
    }

    internal EndpointResolver(Func<string, string?> getEnvironmentVariable, Func<string, bool> fileExists, Func<string?>? getSessionBuilder = null)
    {
        _getEnvironmentVariable = getEnvironmentVariable;
        _fileExists = fileExists;
        _getSessionBuilder = getSessionBuilder ?? (static () => null);
    }

    /// <summary>The builder, docker context or address that this process uses where none is named; null for what the settings say.</summary>
    public static string? SessionBuilder { get; set; }

    /// <summary>Finds the endpoint; <see cref="BuildKitEndpoint.Source"/> tells which setting chose it.</summary>
    /// <param name="builder">An address such as <c>tcp://10.0.0.2:1234</c>, the name of a builder in buildx's store or of a docker context, or null for what the settings say.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The endpoint of the builder's first node, to which no connection was tried yet.</returns>
    /// <exception cref="BuildKitException">A setting is malformed, or names a builder or docker context that does not exist.</exception>
    public async Task<BuildKitEndpoint> ResolveAsync(string? builder = null, CancellationToken cancellationToken = default) =>
        (await ResolveBuilderAsync(builder, cancellationToken).ConfigureAwait(false)).Nodes[0].Endpoint;

    /// <summary>
    /// Finds the Docker Engine that the docker program itself would talk to: builders of buildx's store, and a buildkitd, which
    /// <c>$BUILDKIT_HOST</c> or its default socket would lead to, are not meant.
    /// </summary>
    /// <param name="engine">An address, the name of a docker context, or null for what the settings say.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The endpoint, to which no connection was tried yet.</returns>
    /// <exception cref="BuildKitException">A setting is malformed, or names a docker context that does not exist.</exception>
    public async Task<BuildKitEndpoint> ResolveEngineAsync(string? engine = null, CancellationToken cancellationToken = default) =>
        await (await LoadAsync(cancellationToken).ConfigureAwait(false)).Docker.FindEngineAsync(engine, cancellationToken).ConfigureAwait(false);

    /// <summary>Lists the names that <see cref="ResolveAsync"/> knows: <c>default</c>, buildx's builders, and the docker contexts.</summary>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The names.</returns>
    /// <exception cref="BuildKitException">The docker config is malformed.</exception>
    public async Task<IReadOnlyList<string>> ListNamesAsync(CancellationToken cancellationToken = default) =>
        await (await LoadAsync(cancellationToken).ConfigureAwait(false)).ListNamesAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Finds the builder with all of its nodes.</summary>
    /// <param name="builder">As <see cref="ResolveAsync"/> takes it.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The builder, to none of whose nodes a connection was tried yet.</returns>
    /// <exception cref="BuildKitException">A setting is malformed, or names a builder that does not exist or can't be used.</exception>
    public async Task<BuilderTarget> ResolveBuilderAsync(string? builder = null, CancellationToken cancellationToken = default)
    {
        var settings = await LoadAsync(cancellationToken).ConfigureAwait(false);
        if (!string.IsNullOrEmpty(builder))
            return await FindAsync(builder, null, settings, cancellationToken).ConfigureAwait(false);
        if (_getSessionBuilder() is { Length: > 0 } ofSession)
            return await FindAsync(ofSession, "Use-BuildKitBuilder", settings, cancellationToken).ConfigureAwait(false);
        if (settings.Variable("BUILDX_BUILDER") is { } buildxBuilder)
            return await FindAsync(buildxBuilder, "$env:BUILDX_BUILDER", settings, cancellationToken).ConfigureAwait(false);
        if (settings.Variable("BUILDKIT_HOST") is { } buildkitHost)
            return Target(settings.Docker.Parse(buildkitHost, null, "$env:BUILDKIT_HOST", BuildKitServerKind.Buildkitd), settings);
        if (Current(settings) is { } current)
            return await FromStoreAsync(current, $"current in {settings.Store.Directory}", settings, cancellationToken).ConfigureAwait(false);
        return Target(await settings.Docker.FindCurrentAsync(engineOnly: false, cancellationToken).ConfigureAwait(false), settings);
    }

    /// <summary>Finds one node of a builder.</summary>
    /// <param name="node">The node, as <see cref="BuilderManager"/> lists it.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>Its builder with this node alone.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.NodeNotFound</c>: its builder has no such node any more; or the builder does not exist or can't be used.</exception>
    public async Task<BuilderTarget> ResolveNodeAsync(BuildKitNode node, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(node);
        var builder = await ResolveBuilderAsync(node.Builder ?? node.Name, cancellationToken).ConfigureAwait(false);
        // A docker context is a node without an entry in the store.
        var nodes = builder.Nodes.Where(known => known.Node is null || known.Node.Name == node.Name).ToList();
        return nodes.Count > 0 ? builder with { Nodes = nodes } : throw new BuildKitException(
            "BuildKit.NodeNotFound", BuildKitErrorCategory.NotFound, $"The builder '{builder.Name}' has no node '{node.Name}' any more.", "List its nodes anew (Get-BuildKitBuilder).")
        { Target = node.Name };
    }

    private Task<BuilderSettings> LoadAsync(CancellationToken cancellationToken) => BuilderSettings.LoadAsync(_getEnvironmentVariable, _fileExists, cancellationToken);

    /// <summary>The current builder of the store for the docker context in use; null for the context's own.</summary>
    private static BuildKitBuilder? Current(BuilderSettings settings)
    {
        try
        {
            return settings.Store.Read().Current(settings.Docker.CurrentKey);
        }
        catch (BuildKitException e) when (e.ErrorId == BuilderStore.UnreadableId && settings.Docker.IsNamedByEnvironment)
        {
            // Whoever names an Engine does not need the store to be readable.
            return null;
        }
    }

    /// <summary>What a person or a setting named: an address, a builder of the store, or a docker context.</summary>
    private static async Task<BuilderTarget> FindAsync(string builder, string? setting, BuilderSettings settings, CancellationToken cancellationToken)
    {
        if (DockerEndpoints.IsAddress(builder))
            return Target(setting is null ? settings.Docker.ParseAddress(builder) : settings.Docker.Parse(builder, null, setting), settings);
        BuildKitException? trouble = null;
        try
        {
            if (builder != DockerEndpoints.DefaultContext && settings.Store.Read().Find(builder) is { } stored)
                return await FromStoreAsync(stored, setting, settings, cancellationToken).ConfigureAwait(false);
        }
        catch (BuildKitException e) when (e.ErrorId == BuilderStore.UnreadableId)
        {
            trouble = e;
        }
        try
        {
            return Target(await settings.Docker.FindContextAsync(builder, setting, engineOnly: false, cancellationToken).ConfigureAwait(false), settings);
        }
        catch (BuildKitException e) when (e.ErrorId == DockerContextStore.NotFoundId)
        {
            throw trouble ?? await settings.NotFoundAsync(builder, setting, cancellationToken).ConfigureAwait(false);
        }
    }

    private static BuilderTarget Target(BuildKitEndpoint endpoint, BuilderSettings settings) => new(
        endpoint.Name, endpoint.Source, new List<BuilderTargetNode> { new(endpoint with { Activity = settings.Activity(endpoint.Name) }, null) });

    private static async Task<BuilderTarget> FromStoreAsync(BuildKitBuilder builder, string? setting, BuilderSettings settings, CancellationToken cancellationToken)
    {
        var driver = BuilderDrivers.Of(builder);
        var source = setting is null ? $"builder '{builder.Name}'" : $"builder '{builder.Name}', {setting}";
        var nodes = new List<BuilderTargetNode>();
        foreach (var node in builder.Nodes)
        {
            var known = settings.Node(builder, node);
            var endpoint = await driver.FindEndpointAsync(known, cancellationToken).ConfigureAwait(false);
            nodes.Add(new(
                endpoint with
                {
                    Name = builder.Name,
                    Node = node.Name,
                    Source = source,
                    HttpHeaders = settings.Config.HttpHeaders,
                    Boot = driver.OwnsDaemon ? new BuilderBoot(driver, known) : null,
                    Activity = settings.Activity(builder.Name),
                },
                node));
        }
        return nodes.Count > 0 ? new BuilderTarget(builder.Name, source, nodes) : throw new BuildKitException(
            "BuildKit.BuilderNotSupported", BuildKitErrorCategory.InvalidArgument, $"The builder '{builder.Name}' can't be used: it has no node.", "Create it anew.")
        { Target = builder.Name };
    }
}
