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
    private const string BuildKitHost = "BUILDKIT_HOST";

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
        if (BeforeStore(settings) is { } choice)
        {
            return choice.Source == Variable(BuildKitHost)
                ? Target(settings.Docker.Parse(choice.Name, null, choice.Source, BuildKitServerKind.Buildkitd), settings)
                : await FindAsync(choice.Name, choice.Source, settings, cancellationToken).ConfigureAwait(false);
        }
        if (Current(settings) is { } current)
            return await FromStoreAsync(current, CurrentIn(settings), settings, cancellationToken).ConfigureAwait(false);
        return Target(await settings.Docker.FindCurrentAsync(engineOnly: false, cancellationToken).ConfigureAwait(false), settings);
    }

    /// <summary>Tells which builder, docker context or address is used where none is named. Unlike <see cref="ResolveBuilderAsync"/> it does not look for where that is.</summary>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>What is used, and which setting says so.</returns>
    /// <exception cref="BuildKitException">A setting is malformed, or buildx's store can't be read.</exception>
    public async Task<BuilderChoice> FindChoiceAsync(CancellationToken cancellationToken = default)
    {
        var settings = await LoadAsync(cancellationToken).ConfigureAwait(false);
        if (BeforeStore(settings) is { Source: { } source } choice)
        {
            return choice with
            {
                Name = DockerEndpoints.IsAddress(choice.Name) ? settings.Docker.Parse(choice.Name, null, source).Address
                    : settings.Store.Read().ListNames().FirstOrDefault(name => name.Equals(choice.Name, StringComparison.OrdinalIgnoreCase)) ?? choice.Name,
            };
        }
        if (Current(settings) is { } current)
            return new BuilderChoice(current.Name, CurrentIn(settings), OverridesStore: false);
        var (context, setting) = settings.Docker.Current;
        return new BuilderChoice(context, setting, OverridesStore: false);
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
        if (nodes.Count == 0 && builder.Unavailable.FirstOrDefault(failure => failure.Node == node.Name) is { } failure)
            throw failure;
        return nodes.Count > 0 ? builder with { Nodes = nodes, Unavailable = new List<BuildKitException>() } : throw new BuildKitException(
            "BuildKit.NodeNotFound", BuildKitErrorCategory.NotFound, $"The builder '{builder.Name}' has no node '{node.Name}' any more.", "List its nodes anew (Get-BuildKitBuilder).")
        { Target = node.Name };
    }

    private Task<BuilderSettings> LoadAsync(CancellationToken cancellationToken) => BuilderSettings.LoadAsync(_getEnvironmentVariable, _fileExists, cancellationToken);

    private static string Variable(string name) => $"$env:{name}";

    private static string CurrentIn(BuilderSettings settings) => $"current in {settings.Store.Directory}";

    /// <summary>What the settings say that win over the store, in their order; null where none of them is set.</summary>
    private BuilderChoice? BeforeStore(BuilderSettings settings)
    {
        if (_getSessionBuilder() is { Length: > 0 } ofSession)
            return new BuilderChoice(ofSession, "Use-BuildKitBuilder", OverridesStore: true);
        foreach (var variable in new[] { "BUILDX_BUILDER", BuildKitHost })
        {
            if (settings.Variable(variable) is { } value)
                return new BuilderChoice(value, Variable(variable), OverridesStore: true);
        }
        return null;
    }

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
        var unavailable = new List<BuildKitException>();
        foreach (var node in builder.Nodes)
        {
            try
            {
                nodes.Add(await FindNodeAsync(node).ConfigureAwait(false));
            }
            catch (BuildKitException e)
            {
                var failure = DockerEndpoints.ChosenBy(source, e);
                failure.Node = builder.Nodes.Count > 1 ? node.Name : null;
                unavailable.Add(failure);
            }
        }
        if (nodes.Count > 0)
            return new BuilderTarget(builder.Name, source, nodes) { Unavailable = unavailable };
        throw unavailable.Count > 0 ? unavailable[0] : new BuildKitException(
            "BuildKit.BuilderNotSupported", BuildKitErrorCategory.InvalidArgument, $"The builder '{builder.Name}' can't be used: it has no node.", "Create it anew.")
        { Target = builder.Name };

        async Task<BuilderTargetNode> FindNodeAsync(BuildKitNode node)
        {
            var known = settings.Node(builder, node);
            var endpoint = await driver.FindEndpointAsync(known, cancellationToken).ConfigureAwait(false);
            return new BuilderTargetNode(
                endpoint with
                {
                    Name = builder.Name,
                    Node = node.Name,
                    Source = source,
                    HttpHeaders = settings.Config.HttpHeaders,
                    Boot = driver.OwnsDaemon ? new BuilderBoot(driver, known) : null,
                    Activity = settings.Activity(builder.Name),
                },
                node);
        }
    }
}
