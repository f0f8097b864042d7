using BuildKit.Builders.Drivers;
using BuildKit.Builders.Store;
using BuildKit.Docker;
using BuildKit.Transport;

namespace BuildKit.Builders;

/// <summary>
/// Finds the daemon that is meant. The first that is set wins: what the caller named (an address, a builder of buildx's store or a docker context) → <c>$BUILDX_BUILDER</c> →
/// <c>$BUILDKIT_HOST</c> →
/// <c>$DOCKER_HOST</c> with <c>$DOCKER_TLS_VERIFY</c> and <c>$DOCKER_CERT_PATH</c> → <c>$DOCKER_CONTEXT</c> → the docker config's current context → the default socket.
/// </summary>
public sealed class EndpointResolver
{
    private const string DefaultContext = "default";
    private const string DockerSocket = "/var/run/docker.sock";
    private const string BuildkitdSocket = "/run/buildkit/buildkitd.sock";
    private const string DockerPipe = "npipe:////./pipe/docker_engine";

    private readonly Func<string, string?> _getEnvironmentVariable;
    private readonly Func<string, bool> _fileExists;

    /// <summary>Creates a resolver that reads this process's environment and this user's docker config.</summary>
    public EndpointResolver()
        : this(Environment.GetEnvironmentVariable, File.Exists)
    {
    }

    internal EndpointResolver(Func<string, string?> getEnvironmentVariable, Func<string, bool> fileExists)
    {
        _getEnvironmentVariable = name => getEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
        _fileExists = fileExists;
    }

    /// <summary>Finds the endpoint; <see cref="BuildKitEndpoint.Source"/> tells which setting chose it.</summary>
    /// <param name="builder">An address such as <c>tcp://10.0.0.2:1234</c>, the name of a builder in buildx's store or of a docker context, or null for what the settings say.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The endpoint, to which no connection was tried yet.</returns>
    /// <exception cref="BuildKitException">A setting is malformed, or names a docker context that does not exist.</exception>
    public Task<BuildKitEndpoint> ResolveAsync(string? builder = null, CancellationToken cancellationToken = default) =>
        ResolveAsync(builder, engineOnly: false, cancellationToken);

    /// <summary>
    /// Finds the Docker Engine that the docker program itself would talk to: as <see cref="ResolveAsync(string?, CancellationToken)"/> does, but a buildkitd, which
    /// <c>$BUILDKIT_HOST</c> or its default socket would lead to, is not meant.
    /// </summary>
    /// <param name="engine">An address, the name of a docker context, or null for what the settings say.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The endpoint, to which no connection was tried yet.</returns>
    /// <exception cref="BuildKitException">A setting is malformed, or names a docker context that does not exist.</exception>
    public Task<BuildKitEndpoint> ResolveEngineAsync(string? engine = null, CancellationToken cancellationToken = default) =>
        ResolveAsync(engine, engineOnly: true, cancellationToken);

    /// <summary>Lists the names that <see cref="ResolveAsync(string?, CancellationToken)"/> knows: <c>default</c>, buildx's builders, and the docker contexts.</summary>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The names.</returns>
    /// <exception cref="BuildKitException">The docker config is malformed.</exception>
    public async Task<IReadOnlyList<string>> ListNamesAsync(CancellationToken cancellationToken = default)
    {
        var config = await DockerConfigFile.LoadAsync(DockerConfigFile.DefaultDirectory(_getEnvironmentVariable), cancellationToken).ConfigureAwait(false);
        var builders = BuilderStore.Default(config, _getEnvironmentVariable).Read().List().Select(builder => builder.Name);
        var contexts = await new DockerContextStore(config.Directory).ListNamesAsync(cancellationToken).ConfigureAwait(false);
        return new[] { DefaultContext }.Concat(builders).Concat(contexts).Distinct().ToList();
    }

    /// <summary>Finds the builder with all of its nodes.</summary>
    /// <param name="builder">As <see cref="ResolveAsync(string?, CancellationToken)"/> takes it.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The builder, to none of whose nodes a connection was tried yet.</returns>
    /// <exception cref="BuildKitException">A setting is malformed, or names a builder that does not exist or can't be used.</exception>
    public Task<BuilderTarget> ResolveBuilderAsync(string? builder = null, CancellationToken cancellationToken = default) =>
        ResolveBuilderAsync(builder, engineOnly: false, cancellationToken);

    private async Task<BuildKitEndpoint> ResolveAsync(string? builder, bool engineOnly, CancellationToken cancellationToken) =>
        (await ResolveBuilderAsync(builder, engineOnly, cancellationToken).ConfigureAwait(false)).Nodes[0].Endpoint;

    private async Task<BuilderTarget> ResolveBuilderAsync(string? builder, bool engineOnly, CancellationToken cancellationToken)
    {
        var config = await DockerConfigFile.LoadAsync(DockerConfigFile.DefaultDirectory(_getEnvironmentVariable), cancellationToken).ConfigureAwait(false);
        var target = await ResolveAsync(builder, config, engineOnly, cancellationToken).ConfigureAwait(false);
        return target with { Nodes = target.Nodes.Select(node => node with { Endpoint = node.Endpoint with { HttpHeaders = config.HttpHeaders } }).ToList() };
    }

    private static BuilderTarget Target(BuildKitEndpoint endpoint) => new(endpoint.Name, endpoint.Source, new List<BuilderTargetNode> { new(endpoint, null) });

    private async Task<BuilderTarget> ResolveAsync(string? builder, DockerConfigFile config, bool engineOnly, CancellationToken cancellationToken)
    {
        if (!string.IsNullOrEmpty(builder))
        {
            if (builder.Contains("://", StringComparison.Ordinal))
                return Target(BuildKitEndpoint.Parse(builder));
            if (Path.IsPathRooted(builder))
                throw PathGiven(builder);
            return await FromNameAsync(builder, null, config, engineOnly, cancellationToken).ConfigureAwait(false);
        }

        if (!engineOnly && _getEnvironmentVariable("BUILDX_BUILDER") is { } buildxBuilder)
            return await FromNameAsync(buildxBuilder, "$env:BUILDX_BUILDER", config, engineOnly, cancellationToken).ConfigureAwait(false);
        if (!engineOnly && _getEnvironmentVariable("BUILDKIT_HOST") is { } buildkitHost)
            return Target(Parse(buildkitHost, null, "$env:BUILDKIT_HOST", BuildKitServerKind.Buildkitd));
        return Target(await CurrentContextAsync(config, engineOnly, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>What the docker program itself would talk to.</summary>
    private async Task<BuildKitEndpoint> CurrentContextAsync(DockerConfigFile config, bool engineOnly, CancellationToken cancellationToken)
    {
        if (_getEnvironmentVariable("DOCKER_HOST") is not null)
            return Default(config, engineOnly);
        if (_getEnvironmentVariable("DOCKER_CONTEXT") is { } context)
            return context == DefaultContext ? Default(config, engineOnly) : await FromContextAsync(context, "$env:DOCKER_CONTEXT", config, cancellationToken).ConfigureAwait(false);
        if (config.CurrentContext is { } current && current != DefaultContext)
            return await FromContextAsync(current, $"currentContext in {config.FilePath}", config, cancellationToken).ConfigureAwait(false);
        return Default(config, engineOnly);
    }

    /// <summary>What docker calls the context «default»: <c>$DOCKER_HOST</c>, or else the default socket.</summary>
    private BuildKitEndpoint Default(DockerConfigFile config, bool engineOnly)
    {
        if (_getEnvironmentVariable("DOCKER_HOST") is { } dockerHost)
            return Parse(dockerHost, TlsFromEnvironment(config), "$env:DOCKER_HOST") with { Name = DefaultContext };
        var address = OperatingSystem.IsWindows() ? DockerPipe
            : !engineOnly && !_fileExists(DockerSocket) && _fileExists(BuildkitdSocket) ? $"unix://{BuildkitdSocket}"
            : $"unix://{DockerSocket}";
        return BuildKitEndpoint.Parse(address) with { Name = DefaultContext, Source = "default" };
    }

    /// <summary>A builder of buildx's store, or else a docker context.</summary>
    private async Task<BuilderTarget> FromNameAsync(string name, string? setting, DockerConfigFile config, bool engineOnly, CancellationToken cancellationToken)
    {
        if (name == DefaultContext)
            return Target(Default(config, engineOnly));
        return !engineOnly && BuilderStore.Default(config, _getEnvironmentVariable).Read().Find(name) is { } builder
            ? await FromStoreAsync(builder, setting, config, cancellationToken).ConfigureAwait(false)
            : Target(await FromContextAsync(name, setting, config, cancellationToken).ConfigureAwait(false));
    }

    private async Task<BuilderTarget> FromStoreAsync(BuildKitBuilder builder, string? setting, DockerConfigFile config, CancellationToken cancellationToken)
    {
        var driver = BuilderDrivers.Of(builder);
        var source = setting is null ? $"builder '{builder.Name}'" : $"builder '{builder.Name}', {setting}";
        var nodes = new List<BuilderTargetNode>();
        foreach (var node in builder.Nodes)
        {
            var known = new BuilderNode(builder.Name, node, (engine, stop) => ResolveAsync(engine, engineOnly: true, stop), config);
            var endpoint = await driver.FindEndpointAsync(known, cancellationToken).ConfigureAwait(false);
            nodes.Add(new(endpoint with { Name = builder.Name, Node = node.Name, Source = source, Boot = driver.OwnsDaemon ? new BuilderBoot(driver, known) : null }, node));
        }
        return nodes.Count > 0 ? new BuilderTarget(builder.Name, source, nodes) : throw new BuildKitException(
            "BuildKit.BuilderNotSupported", BuildKitErrorCategory.InvalidArgument, $"The builder '{builder.Name}' can't be used: it has no node.", "Create it anew.")
        { Target = builder.Name };
    }

    private static async Task<BuildKitEndpoint> FromContextAsync(string name, string? setting, DockerConfigFile config, CancellationToken cancellationToken)
    {
        var source = setting is null ? $"docker context '{name}'" : $"docker context '{name}', {setting}";
        DockerContext context;
        try
        {
            context = await new DockerContextStore(config.Directory).GetAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (BuildKitException exception) when (setting is not null)
        {
            throw new BuildKitException(exception.ErrorId, exception.Category, $"{exception.Message} It was chosen by {setting}.", exception.RecommendedAction, exception)
            {
                Target = exception.Target,
            };
        }
        return Parse(context.Host, context.Tls, source) with { Name = name };
    }

    private static BuildKitEndpoint Parse(string address, BuildKitTlsOptions? tls, string source, BuildKitServerKind? kind = null)
    {
        try
        {
            return BuildKitEndpoint.Parse(address.Trim(), tls, kind) with { Source = source };
        }
        catch (BuildKitException exception)
        {
            throw new BuildKitException(exception.ErrorId, exception.Category, $"{exception.Message} It was chosen by {source}.", exception.RecommendedAction, exception)
            {
                Target = exception.Target,
            };
        }
    }

    // docker/cli cli/flags: TLS is on with DOCKER_TLS_VERIFY or DOCKER_TLS, the latter alone without verification; a client certificate is used where there is one.
    private BuildKitTlsOptions? TlsFromEnvironment(DockerConfigFile config)
    {
        var verify = _getEnvironmentVariable("DOCKER_TLS_VERIFY") is not null;
        if (!verify && _getEnvironmentVariable("DOCKER_TLS") is null)
            return null;
        var directory = _getEnvironmentVariable("DOCKER_CERT_PATH") ?? config.Directory;
        var ca = Path.Combine(directory, "ca.pem");
        var certificate = Path.Combine(directory, "cert.pem");
        var key = Path.Combine(directory, "key.pem");
        return new BuildKitTlsOptions
        {
            CaFile = verify || _fileExists(ca) ? ca : null,
            CertificateFile = _fileExists(certificate) ? certificate : null,
            KeyFile = _fileExists(key) ? key : null,
            SkipVerify = !verify,
        };
    }

    private static BuildKitException PathGiven(string path) => new(
        "BuildKit.InvalidEndpoint", BuildKitErrorCategory.InvalidArgument, $"'{path}' is a path, not an address of a daemon.", $"Write unix://{path} for a socket.")
    {
        Target = path,
    };
}
