using BuildKit.Builders.Drivers;
using BuildKit.Docker;
using BuildKit.Grpc;
using BuildKit.Session;
using BuildKit.Transport;

namespace BuildKit.Builders;

/// <summary>
/// An open connection to a daemon. Calls may run at the same time on it; one that was lost is opened anew by the next call.
/// Failures are <see cref="ConnectionFailedException"/>, <see cref="DockerApiException"/>, or a <see cref="BuildKitException"/> with the daemon's words; of calls on
/// a connection that was closed, <c>BuildKit.ConnectionClosed</c>.
/// </summary>
public sealed class BuildKitConnection : IAsyncDisposable
{
    private readonly DaemonTransport _transport;
    private readonly GrpcChannel _channel;
    private readonly DockerEngineClient? _engine;
    private readonly ControlClient _control;
    private volatile bool _isClosed;

    private BuildKitConnection(BuildKitEndpoint endpoint, DaemonTransport transport, RouteFinder.Found found)
    {
        Endpoint = endpoint;
        _transport = transport;
        _channel = found.Channel;
        _engine = found.Engine;
        _control = new ControlClient(_channel);
        Kind = found.Kind;
        Route = found.Route;
        Workers = found.Workers;
        ImageStore = WorkerRecords.ImageStore(found.Kind, found.Workers);
        EngineVersion = found.Ping?.EngineVersion;
        ApiVersion = found.Ping?.ApiVersion;
    }

    /// <summary>Where the daemon is, and which setting chose it.</summary>
    public BuildKitEndpoint Endpoint { get; }

    /// <summary>The builder's name: a docker context's, <c>default</c>, or the address.</summary>
    public string Name => Endpoint.Name;

    /// <summary>What answers.</summary>
    public BuildKitServerKind Kind { get; }

    /// <summary>How gRPC gets there; found by trying, and remembered in this process for the endpoint.</summary>
    public GrpcRoute Route { get; }

    /// <summary>Where built images go.</summary>
    public BuildKitImageStore ImageStore { get; }

    /// <summary>The Docker Engine's version; null for a buildkitd, and where a proxy hides it.</summary>
    public string? EngineVersion { get; }

    /// <summary>The newest version of the Engine API that the daemon speaks; null for a buildkitd.</summary>
    public string? ApiVersion { get; }

    /// <summary>The daemon's workers when the connection was opened.</summary>
    internal IReadOnlyList<BuildKitWorker> Workers { get; }

    /// <summary>Makes gRPC calls to the daemon.</summary>
    internal CallInvoker Invoker => UnlessClosed(_channel);

    /// <summary>The Engine's own API; null for a buildkitd.</summary>
    internal DockerEngineClient? Engine => UnlessClosed(_engine);

    /// <summary>Connects, finds out what answers, and has a first call answered.</summary>
    /// <param name="endpoint">Where the daemon is.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The open connection.</returns>
    /// <exception cref="ConnectionFailedException">Nobody answers, TLS fails, or what answers is no daemon of this kind.</exception>
    public static Task<BuildKitConnection> ConnectAsync(BuildKitEndpoint endpoint, CancellationToken cancellationToken = default) =>
        ConnectAsync(endpoint, null, cancellationToken);

    /// <summary>The same, and tells of the boot where a builder's node does not run yet.</summary>
    /// <param name="endpoint">Where the daemon is.</param>
    /// <param name="boot">Is told of the boot, or null.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The open connection.</returns>
    /// <exception cref="BuildKitException">The node can't be booted, nobody answers, TLS fails, or what answers is no daemon of this kind.</exception>
    public static async Task<BuildKitConnection> ConnectAsync(BuildKitEndpoint endpoint, IProgress<BuilderBootEvent>? boot, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        await endpoint.BootAsync(boot, cancellationToken).ConfigureAwait(false);
        var transport = await endpoint.CreateTransportAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return new BuildKitConnection(endpoint, transport, await new RouteFinder(endpoint, transport).FindAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (DockerApiException exception) when (endpoint is { Node: not null, Boot: null } && exception.ErrorId is "BuildKit.ContainerNotFound" or "BuildKit.ContainerNotRunning")
        {
            transport.Dispose();
            throw new BuildKitException(
                "BuildKit.BuilderNotRunning", BuildKitErrorCategory.Connection, $"The builder '{endpoint.Name}' does not run: {exception.Message}",
                $"Start it with Start-BuildKitBuilder {endpoint.Name}; a build starts it too.", exception)
            { Target = endpoint.Name };
        }
        catch
        {
            transport.Dispose();
            throw;
        }
    }

    /// <summary>Asks the daemon what it is and can do.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The daemon as it is now.</returns>
    public async Task<BuildKitServer> GetServerAsync(CancellationToken cancellationToken = default)
    {
        var version = Engine is not { } engine ? null : await engine.System.GetVersionAsync(cancellationToken).ConfigureAwait(false);
        var buildkit = (await GetInfoAsync(cancellationToken).ConfigureAwait(false))?.BuildkitVersion;
        var workers = await GetWorkersAsync(cancellationToken).ConfigureAwait(false);
        return new BuildKitServer
        {
            Name = Name,
            Node = Endpoint.Node,
            Address = Endpoint.Address,
            Endpoint = Endpoint,
            Kind = Kind,
            Route = Route,
            Version = NullIfEmpty(buildkit?.Version),
            Revision = NullIfEmpty(buildkit?.Revision),
            EngineVersion = NullIfEmpty(version?.Version),
            ApiVersion = NullIfEmpty(version?.ApiVersion),
            ImageStore = WorkerRecords.ImageStore(Kind, workers),
            Platforms = workers.SelectMany(worker => worker.Platforms).Distinct().ToList(),
            GCPolicies = workers.Count > 0 ? workers[0].GCPolicies : [],
        };
    }

    /// <summary>Asks the daemon for its workers.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The workers; a Docker Engine has one.</returns>
    public async Task<IReadOnlyList<BuildKitWorker>> GetWorkersAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            var workers = WorkerRecords.ToWorkers(await UnlessClosed(_control).ListWorkersAsync(cancellationToken).ConfigureAwait(false));
            return workers.Select(worker => worker with { Node = Endpoint.Node }).ToList();
        }
        catch (RpcException exception)
        {
            throw DaemonErrors.FromRpc(_transport, exception);
        }
    }

    /// <summary>The <see cref="Name"/>.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => Name;

    /// <summary>Closes the connection; calls that still run end.</summary>
    /// <returns>A task that completes when it is closed.</returns>
    public async ValueTask DisposeAsync()
    {
        _isClosed = true;
        await _channel.DisposeAsync().ConfigureAwait(false);
        _engine?.Dispose();
        _transport.Dispose();
    }

    /// <summary>
    /// Opens a session: a stream on which the daemon is the HTTP/2 client and we are the server. The session lasts until the stream is disposed.
    /// </summary>
    /// <param name="handshake">What the daemon is told of the session.</param>
    /// <param name="cancellationToken">Ends the opening, and nothing after it.</param>
    internal async Task<Stream> OpenSessionStreamAsync(SessionHandshake handshake, CancellationToken cancellationToken)
    {
        // A session is a build's, and builds are what buildx counts as activity.
        Endpoint.Activity?.Record();
        if (Route == GrpcRoute.Direct)
            return UnlessClosed(_control).OpenSession(handshake, CancellationToken.None);

        IEnumerable<KeyValuePair<string, string>> headers =
        [
            new("X-Docker-Expose-Session-Uuid", handshake.Id),
            new("X-Docker-Expose-Session-Name", Printable(handshake.Name)),
            new("X-Docker-Expose-Session-Sharedkey", Printable(handshake.SharedKey)),
            .. handshake.Methods.Select(method => new KeyValuePair<string, string>("X-Docker-Expose-Session-Grpc-Method", method)),
        ];
        return await Engine!.UpgradeAsync("/session", "h2c", headers, cancellationToken).ConfigureAwait(false);
    }

    private async Task<Protocol.Control.InfoResponse?> GetInfoAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await UnlessClosed(_control).InfoAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.Unimplemented)
        {
            return null; // BuildKit before 0.11, Docker before 23
        }
        catch (RpcException exception)
        {
            throw DaemonErrors.FromRpc(_transport, exception);
        }
    }

    private T UnlessClosed<T>(T part) => _isClosed
        ? throw new BuildKitException(
            "BuildKit.ConnectionClosed", BuildKitErrorCategory.Connection, $"The connection to '{Name}' is closed.",
            "It was closed by Disconnect-BuildKit. Connect again with Connect-BuildKit, or give an address.")
        { Target = Name }
        : part;

    // The same text as the metadata of Control.Session, which is ASCII: the daemon sees one name whatever the route.
    private static string Printable(string value) => value.All(c => c is >= ' ' and <= '~') ? value : Uri.EscapeDataString(value);

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
