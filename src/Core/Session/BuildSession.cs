using BuildKit.Builders;
using BuildKit.Grpc;

namespace BuildKit.Session;

/// <summary>
/// An open session: our services on the stream on which the daemon calls back while it builds. One session serves one build.
/// </summary>
internal sealed class BuildSession : IAsyncDisposable
{
    private readonly Stream _stream;
    private readonly GrpcServer _server;
    private readonly CancellationTokenSource _stop = new();
    private BuildKitException? _defect;

    private BuildSession(string id, Stream stream, IReadOnlyList<ServerServiceDefinition> services)
    {
        Id = id;
        _stream = stream;
        _server = new GrpcServer(stream, services, new GrpcServerOptions { CallFailed = KeepDefect });
        Completion = _server.RunAsync(_stop.Token);
    }

    /// <summary>The first failure of a service that it did not foresee, or null. The daemon is told no more of it than its type.</summary>
    public BuildKitException? Defect => Volatile.Read(ref _defect);

    /// <summary>What a solve request names this session by.</summary>
    public string Id { get; }

    /// <summary>Ends when the daemon closed the session, or it broke.</summary>
    public Task Completion { get; }

    /// <summary>Opens a session and starts to serve it.</summary>
    /// <param name="connection">The daemon.</param>
    /// <param name="name">A name for a person.</param>
    /// <param name="sharedKey">See <see cref="SessionHandshake"/>.</param>
    /// <param name="services">What the daemon may call.</param>
    /// <param name="cancellationToken">Ends the opening, not the session.</param>
    /// <exception cref="BuildKitException">The daemon refused the session or can't be reached.</exception>
    public static async Task<BuildSession> OpenAsync(
        BuildKitConnection connection, string name, string sharedKey, IReadOnlyList<ServerServiceDefinition> services, CancellationToken cancellationToken)
    {
        var id = Identifier.New();
        var handshake = new SessionHandshake(id, name, sharedKey, services.SelectMany(service => service.MethodNames).ToList());
        var stream = await connection.OpenSessionStreamAsync(handshake, cancellationToken).ConfigureAwait(false);
        return new BuildSession(id, stream, services);
    }

    /// <summary>Closes the session. Calls in flight are cancelled; how the session ended no longer matters to anyone.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _server.DisposeAsync().ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private void KeepDefect(string path, Exception exception)
    {
        if (exception is BuildKitException or RpcException or OperationCanceledException)
            return;
        var defect = new BuildKitException(
            "BuildKit.ServiceFailed", BuildKitErrorCategory.Protocol, $"Answering the daemon's call {path} failed on this side: {exception.Message}",
            "This is a defect of this module: please report it with what Get-Error shows.", exception);
        Interlocked.CompareExchange(ref _defect, defect, null);
    }
}
