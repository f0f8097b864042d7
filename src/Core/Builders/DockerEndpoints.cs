using BuildKit.Docker;
using BuildKit.Transport;

namespace BuildKit.Builders;

/// <summary>
/// The endpoints that the docker program itself knows: its contexts, and <c>default</c>, which is <c>$DOCKER_HOST</c> or else the default socket (docker/cli cli/command).
/// </summary>
internal sealed class DockerEndpoints(Func<string, string?> getEnvironmentVariable, Func<string, bool> fileExists, DockerConfigFile config)
{
    public const string DefaultContext = "default";

    private const string DockerSocket = "/var/run/docker.sock";
    private const string BuildkitdSocket = "/run/buildkit/buildkitd.sock";
    private const string DockerPipe = "npipe:////./pipe/docker_engine";

    private readonly DockerContextStore _contexts = new(config.Directory);

    /// <summary>The context in use, and the setting that says so; null where none does.</summary>
    public (string Name, string? Setting) Current =>
        getEnvironmentVariable("DOCKER_HOST") is not null ? (DefaultContext, null)
        : getEnvironmentVariable("DOCKER_CONTEXT") is { } context ? (context, "$env:DOCKER_CONTEXT")
        : config.CurrentContext is { } current ? (current, $"currentContext in {config.FilePath}")
        : (DefaultContext, null);

    /// <summary>Whether the environment names an Engine.</summary>
    public bool IsNamedByEnvironment => getEnvironmentVariable("DOCKER_HOST") is not null || getEnvironmentVariable("DOCKER_CONTEXT") is not null;

    /// <summary>
    /// What buildx's store calls the context in use: its name, and for <c>default</c> the Engine's address as the docker program writes it, which adds port 2375 to a host alone
    /// (docker/buildx util/dockerutil, GetCurrentEndpoint).
    /// </summary>
    /// <exception cref="BuildKitException"><c>$DOCKER_HOST</c> is malformed.</exception>
    public string CurrentKey => Current.Name is var name && name != DefaultContext ? name : DefaultAddress;

    /// <summary>The address of the Engine of the context <c>default</c>, as above.</summary>
    /// <exception cref="BuildKitException"><c>$DOCKER_HOST</c> is malformed.</exception>
    public string DefaultAddress =>
        getEnvironmentVariable("DOCKER_HOST") is { } host ? Parse(host, null, "$env:DOCKER_HOST").Address
        : OperatingSystem.IsWindows() ? DockerPipe
        : $"unix://{DockerSocket}";

    /// <summary>The names of all contexts, sorted, with <c>default</c>.</summary>
    public async Task<IReadOnlyList<string>> ListNamesAsync(CancellationToken cancellationToken)
    {
        var names = (await _contexts.ListNamesAsync(cancellationToken).ConfigureAwait(false)).Append(DefaultContext).ToList();
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    /// <summary>What the docker program would talk to.</summary>
    /// <param name="engineOnly">Whether a buildkitd, which the default socket may be where there is no Engine's, is not meant.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    public Task<BuildKitEndpoint> FindCurrentAsync(bool engineOnly, CancellationToken cancellationToken) =>
        FindContextAsync(Current.Name, Current.Setting, engineOnly, cancellationToken);

    /// <summary>The endpoint of a context, of an address, or where neither is given of the context in use.</summary>
    public Task<BuildKitEndpoint> FindEngineAsync(string? engine, CancellationToken cancellationToken) =>
        string.IsNullOrEmpty(engine) ? FindCurrentAsync(engineOnly: true, cancellationToken)
        : IsAddress(engine) ? Task.FromResult(ParseAddress(engine))
        : FindContextAsync(engine, null, engineOnly: true, cancellationToken);

    /// <summary>Whether a text is an address rather than a name.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidEndpoint</c>: it is a path.</exception>
    public static bool IsAddress(string text)
    {
        if (text.Contains("://", StringComparison.Ordinal))
            return true;
        return !Path.IsPathRooted(text) ? false : throw new BuildKitException(
            "BuildKit.InvalidEndpoint", BuildKitErrorCategory.InvalidArgument, $"'{text}' is a path, not an address of a daemon.", $"Write unix://{text} for a socket.")
        { Target = text };
    }

    /// <summary>The endpoint of an address that somebody named.</summary>
    public BuildKitEndpoint ParseAddress(string address) => BuildKitEndpoint.Parse(address) with { HttpHeaders = config.HttpHeaders };

    /// <summary>The endpoint of an address that a setting named; an error says which.</summary>
    public BuildKitEndpoint Parse(string address, BuildKitTlsOptions? tls, string source, BuildKitServerKind? kind = null)
    {
        try
        {
            return BuildKitEndpoint.Parse(address.Trim(), tls, kind) with { Source = source, HttpHeaders = config.HttpHeaders };
        }
        catch (BuildKitException exception)
        {
            throw ChosenBy(source, exception);
        }
    }

    /// <summary>The endpoint of a docker context.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="setting">The setting that named it, or null.</param>
    /// <param name="engineOnly">As above.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="BuildKitException"><c>BuildKit.DockerContextNotFound</c>, or it is malformed.</exception>
    public async Task<BuildKitEndpoint> FindContextAsync(string name, string? setting, bool engineOnly, CancellationToken cancellationToken)
    {
        if (name == DefaultContext)
            return Default(engineOnly);
        DockerContext context;
        try
        {
            context = await _contexts.GetAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (BuildKitException exception) when (setting is not null)
        {
            throw ChosenBy(setting, exception);
        }
        return Parse(context.Host, context.Tls, setting is null ? $"docker context '{name}'" : $"docker context '{name}', {setting}") with { Name = name };
    }

    /// <summary>The error of what a setting chose.</summary>
    public static BuildKitException ChosenBy(string setting, BuildKitException exception) => new(
        exception.ErrorId, exception.Category, $"{exception.Message} It was chosen by {setting}.", exception.RecommendedAction, exception)
    { Target = exception.Target };

    /// <summary>How TLS is spoken to <c>$DOCKER_HOST</c>; null for no TLS.</summary>
    /// <remarks>docker/cli cli/flags: it is on with DOCKER_TLS_VERIFY or DOCKER_TLS, the latter alone without verification; a client certificate is used where there is one.</remarks>
    private BuildKitTlsOptions? TlsOfEnvironment()
    {
        var verify = getEnvironmentVariable("DOCKER_TLS_VERIFY") is not null;
        if (!verify && getEnvironmentVariable("DOCKER_TLS") is null)
            return null;
        var directory = getEnvironmentVariable("DOCKER_CERT_PATH") ?? config.Directory;
        var ca = Path.Combine(directory, "ca.pem");
        var certificate = Path.Combine(directory, "cert.pem");
        var key = Path.Combine(directory, "key.pem");
        return new BuildKitTlsOptions
        {
            CaFile = verify || fileExists(ca) ? ca : null,
            CertificateFile = fileExists(certificate) ? certificate : null,
            KeyFile = fileExists(key) ? key : null,
            SkipVerify = !verify,
        };
    }

    private BuildKitEndpoint Default(bool engineOnly)
    {
        if (getEnvironmentVariable("DOCKER_HOST") is { } dockerHost)
            return Parse(dockerHost, TlsOfEnvironment(), "$env:DOCKER_HOST") with { Name = DefaultContext };
        var address = OperatingSystem.IsWindows() ? DockerPipe
            : !engineOnly && !fileExists(DockerSocket) && fileExists(BuildkitdSocket) ? $"unix://{BuildkitdSocket}"
            : $"unix://{DockerSocket}";
        return ParseAddress(address) with { Name = DefaultContext, Source = "default" };
    }
}
