using System.Globalization;
using BuildKit.Builders.Drivers;
using BuildKit.Builders.Store;
using BuildKit.Transport;

namespace BuildKit.Builders;

/// <summary>
/// Where a daemon is and how to reach it. The address does not say whether a Docker Engine or a buildkitd listens there; that is found out when connecting.
/// Two endpoints are equal when they lead to the same place in the same way, whoever chose them.
/// </summary>
public sealed record BuildKitEndpoint
{
    private const int PlainPort = 2375;
    private const int TlsPort = 2376;

    private BuildKitEndpoint(string scheme, string address, string host, int port = 0)
    {
        Scheme = scheme;
        Address = address;
        Host = host;
        Port = port;
        Name = address;
    }

    /// <summary><c>unix</c>, <c>npipe</c>, <c>tcp</c>, <c>ssh</c>, <c>docker-container</c>, <c>podman-container</c> or <c>kube-pod</c>.</summary>
    public string Scheme { get; }

    /// <summary>The whole address, <c>unix:///run/docker.sock</c> or <c>tcp://10.0.0.2:2376</c>. It never holds a secret.</summary>
    public string Address { get; }

    /// <summary>A name for a person: the docker context's, <c>default</c>, or the address.</summary>
    public string Name { get; init; }

    /// <summary>The name of the builder's node that it is; null where the builder is none of the store's.</summary>
    public string? Node { get; init; }

    /// <summary>The setting that chose the endpoint, such as <c>$env:DOCKER_HOST</c>; null where the caller named it.</summary>
    public string? Source { get; init; }

    /// <summary>How TLS is spoken; null for no TLS. With <c>tcp</c> only.</summary>
    public BuildKitTlsOptions? Tls { get; private init; }

    /// <summary>How long a connect, or the wait for the first answer, may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Headers for the Engine's HTTP API, <c>HttpHeaders</c> of the docker config. They may hold secrets and are shown nowhere.</summary>
    internal IReadOnlyDictionary<string, string> HttpHeaders { get; init; } = new Dictionary<string, string>();

    /// <summary>What is known to answer there; null where it is found out by trying.</summary>
    internal BuildKitServerKind? Kind { get; init; }

    /// <summary>The path of the socket, the server of the pipe, the host, or the container.</summary>
    internal string Host { get; }

    /// <summary>The program that leads there, or null.</summary>
    internal HelperProgram? Program { get; private init; }

    /// <summary>The Engine of a <c>docker-container</c> builder; null for the one that <c>docker</c> itself would use.</summary>
    internal BuildKitEndpoint? Engine { get; init; }

    /// <summary>The docker context that holds the container, where the address names one.</summary>
    internal string? EngineContext { get; private init; }

    /// <summary>The node of a builder that has to run before anybody connects; null for a daemon that runs, or not, whatever we do.</summary>
    internal BuilderBoot? Boot { get; init; }

    /// <summary>Where the builder's use is written down; null for an address.</summary>
    internal BuilderActivity? Activity { get; init; }

    internal int Port { get; }

    /// <summary>
    /// Reads an address: <c>unix:///path</c>, <c>npipe:////./pipe/name</c>, <c>tcp://host:port</c> (2375 where no port is given, with TLS 2376), <c>ssh://[user@]host[:port][/path/of/socket]</c>
    /// (by the <c>ssh</c> program), <c>docker-container://name[?context=NAME]</c>, <c>podman-container://name</c> and
    /// <c>kube-pod://pod[?context=&amp;namespace=&amp;container=]</c> (by <c>podman</c> and <c>kubectl</c>; moby/buildkit client/connhelper).
    /// </summary>
    /// <param name="address">The address.</param>
    /// <param name="tls">How TLS is spoken, for <c>tcp</c>; null for no TLS.</param>
    /// <returns>The endpoint.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidEndpoint</c>, or <c>BuildKit.UnsupportedEndpoint</c> for a scheme that is not supported.</exception>
    public static BuildKitEndpoint Parse(string address, BuildKitTlsOptions? tls = null) => Parse(address, tls, null);

    /// <param name="address">The address.</param>
    /// <param name="tls">How TLS is spoken, for <c>tcp</c>; null for no TLS.</param>
    /// <param name="kind">What is meant to answer there, where the setting tells; null where it is found out by trying.</param>
    internal static BuildKitEndpoint Parse(string address, BuildKitTlsOptions? tls, BuildKitServerKind? kind)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(address);
        var separator = address.IndexOf("://", StringComparison.Ordinal);
        if (separator <= 0)
            throw Invalid(address.Contains('@', StringComparison.Ordinal) ? "…" : address, "it has no scheme"); // what stands before an @ may be a password
        var scheme = address[..separator].ToLowerInvariant();
        var rest = address[(separator + 3)..];
        if (tls is not null && scheme is "unix" or "npipe")
            tls = null; // docker too ignores TLS settings for a socket; what DOCKER_TLS_VERIFY asks for is there already
        return scheme switch
        {
            "unix" when rest.StartsWith('/') || (OperatingSystem.IsWindows() && rest.Length > 0) => new BuildKitEndpoint(scheme, $"unix://{rest}", rest, 0),
            "unix" => throw Invalid(address, "the path of a unix socket must be absolute"),
            "npipe" => ParsePipe(address, rest),
            "tcp" => ParseTcp(rest, tls),
            _ when HelperAddress.Parse(scheme, rest, kind) is { } helper => new BuildKitEndpoint(scheme, helper.Address, helper.Name)
            {
                Program = helper.Program,
                EngineContext = helper.EngineContext,
                Kind = helper.Kind,
            },
            _ => throw Unsupported(scheme),
        };
    }

    /// <inheritdoc/>
    public bool Equals(BuildKitEndpoint? other) =>
        other is not null && Address == other.Address && Tls == other.Tls && Kind == other.Kind && Equals(Engine, other.Engine);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Address, Tls, Kind, Engine);

    /// <summary>The address.</summary>
    /// <returns><see cref="Address"/>.</returns>
    public override string ToString() => Address;

    /// <summary>The same place, which is not started by connecting to it: where nothing runs, connecting fails with <c>BuildKit.BuilderNotRunning</c>.</summary>
    /// <returns>The endpoint.</returns>
    public BuildKitEndpoint WithoutBoot() => this with { Boot = null };

    internal async Task<DaemonTransport> CreateTransportAsync(CancellationToken cancellationToken)
    {
        var target = new TransportTarget(Address, Source);
        switch (Scheme)
        {
            case "unix":
                return new UnixSocketTransport(target, Host, ConnectTimeout);
            case "docker-container":
                var engine = Engine ?? await new EndpointResolver().ResolveEngineAsync(EngineContext, cancellationToken).ConfigureAwait(false);
                return new DockerExecTransport(target, await engine.CreateTransportAsync(cancellationToken).ConfigureAwait(false), engine.HttpHeaders, Host, ConnectTimeout);
            case not "tcp" when Program is not null:
                return new ProgramTransport(target, Program, ConnectTimeout);
            case "npipe":
                return new NamedPipeTransport(target, Host, PipeName(Address), ConnectTimeout);
            default:
                var tcp = new TcpTransport(target, Host, Port, ConnectTimeout);
                return Tls is null ? tcp : await TlsTransport.CreateAsync(tcp, Tls, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Starts the builder's node that has to run before anybody connects. Does nothing where it runs, and for a daemon that runs, or not, whatever we do.</summary>
    /// <param name="progress">Is told of the boot, or null.</param>
    /// <param name="cancellationToken">Ends the boot; what it made is removed.</param>
    /// <returns>A task that completes when the daemon answers.</returns>
    /// <exception cref="BuildKitException">The node can't be booted.</exception>
    public Task BootAsync(IProgress<BuilderBootEvent>? progress = null, CancellationToken cancellationToken = default) =>
        Boot?.RunAsync(progress, cancellationToken) ?? Task.CompletedTask;

    // "//./pipe/docker_engine", with slashes either way
    private static BuildKitEndpoint ParsePipe(string address, string rest)
    {
        var parts = rest.Replace('\\', '/').TrimStart('/').Split('/', 3);
        if (parts is not [{ Length: > 0 } server, _, { Length: > 0 } name] || !parts[1].Equals("pipe", StringComparison.OrdinalIgnoreCase))
            throw Invalid(address, "a named pipe is written npipe:////./pipe/NAME");
        return new BuildKitEndpoint("npipe", $"npipe:////{server}/pipe/{name}", server, 0);
    }

    private static string PipeName(string address) => address.Split('/', 7)[6];

    private static BuildKitEndpoint ParseTcp(string rest, BuildKitTlsOptions? tls)
    {
        // The text is not repeated before it is known to hold no user:password.
        if (rest.Contains('@', StringComparison.Ordinal))
            throw Invalid("tcp://…", "an address holds no user or password");
        var address = $"tcp://{rest}";
        var authority = rest.TrimEnd('/');
        if (authority.AsSpan().IndexOfAny("/?# ") >= 0)
            throw Invalid(address, "after the port nothing may follow");

        var bracket = authority.StartsWith('[') ? authority.IndexOf(']', StringComparison.Ordinal) : -1;
        var colon = authority.IndexOf(':', Math.Max(bracket, 0));
        if (bracket > 0 && bracket + 1 < authority.Length && colon != bracket + 1)
            throw Invalid(address, "after an address in brackets only a port may follow");
        var host = bracket > 0 ? authority[1..bracket] : colon >= 0 ? authority[..colon] : authority;
        var port = tls is null ? PlainPort : TlsPort;
        if (colon >= 0 && (!int.TryParse(authority.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535))
            throw Invalid(address, "the port must be a number from 1 to 65535, and an IPv6 address stands in brackets");
        if (Uri.CheckHostName(host) == UriHostNameType.Unknown)
            throw Invalid(address, "the host is not a host name or an IP address");
        var shown = bracket > 0 ? $"[{host}]" : host;
        return new BuildKitEndpoint("tcp", $"tcp://{shown}:{port}", host, port) { Tls = tls };
    }

    internal static BuildKitException Invalid(string address, string why) => new(
        "BuildKit.InvalidEndpoint", BuildKitErrorCategory.InvalidArgument, $"'{address}' is not an address of a daemon: {why}.",
        "Write unix:///run/docker.sock, tcp://host:port, npipe:////./pipe/docker_engine, ssh://user@host or docker-container://name.")
    {
        Target = address,
    };

    private static BuildKitException Unsupported(string scheme) => new(
        "BuildKit.UnsupportedEndpoint", BuildKitErrorCategory.NotSupported, $"Daemons can't be reached by '{scheme}://'.",
        "Use unix://, tcp://, npipe://, ssh://, docker-container://, podman-container:// or kube-pod://.")
    {
        Target = scheme,
    };
}
