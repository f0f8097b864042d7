using System.Collections.Concurrent;
using System.Net;
using BuildKit.Docker;
using BuildKit.Grpc;
using BuildKit.Transport;

namespace BuildKit.Builders;

/// <summary>
/// Finds out what answers at an endpoint and how gRPC gets there, by trying. An Engine answers <c>/_ping</c>; buildkitd does not speak HTTP/1.1 and fails that at once.
/// Where the endpoint tells what is there, nothing else is tried. An Engine from version 29 is tried directly first and then by the upgrade, an older one the other way round.
/// What was found is remembered in the process and tried first the next time.
/// </summary>
internal sealed class RouteFinder(BuildKitEndpoint endpoint, DaemonTransport transport)
{
    // Something between us and an Engine may neither take an HTTP/2 preface nor turn it down.
    private static readonly TimeSpan DirectTryTimeout = TimeSpan.FromSeconds(5);

    // Docker 29: moby daemon/command, "HTTP/1, HTTP/2 and h2c on the HTTP server"
    private static readonly Version FirstDirectApiVersion = new(1, 52);

    private static readonly ConcurrentDictionary<BuildKitEndpoint, (BuildKitServerKind Kind, GrpcRoute Route)> Known = new();

    private string? _peerAnswer;

    /// <summary>What was found, with the channel on which the first call has been answered.</summary>
    internal sealed record Found(
        BuildKitServerKind Kind, GrpcRoute Route, GrpcChannel Channel, IReadOnlyList<BuildKitWorker> Workers, DockerEngineClient? Engine, PingResponse? Ping);

    public async Task<Found> FindAsync(CancellationToken cancellationToken)
    {
        if (endpoint.Kind == BuildKitServerKind.Buildkitd)
            return await FindBuildkitdAsync(cancellationToken).ConfigureAwait(false);

        var known = Known.TryGetValue(endpoint, out var value) ? value : default((BuildKitServerKind Kind, GrpcRoute Route)?);
        if (known?.Kind == BuildKitServerKind.Buildkitd
            && await TryAsync(Buildkitd, null, transport.ConnectTimeout, cancellationToken).ConfigureAwait(false) is { Found: { } again })
            return again;

        var engine = new DockerEngineClient(transport, endpoint.HttpHeaders);
        try
        {
            var found = await FindEngineAsync(engine, known?.Route, cancellationToken).ConfigureAwait(false)
                ?? await FindBuildkitdAsync(cancellationToken).ConfigureAwait(false);
            Known[endpoint] = (found.Kind, found.Route);
            if (found.Engine is null)
                engine.Dispose();
            return found;
        }
        catch
        {
            Known.TryRemove(endpoint, out _);
            engine.Dispose();
            throw;
        }
    }

    /// <returns>Null where no Engine answers.</returns>
    private async Task<Found?> FindEngineAsync(DockerEngineClient engine, GrpcRoute? known, CancellationToken cancellationToken)
    {
        PingResponse ping;
        try
        {
            ping = await engine.System.PingAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ConnectionFailedException exception) when (exception.ErrorId is "BuildKit.NotABuilder" or "BuildKit.ConnectionLost")
        {
            _peerAnswer = exception.PeerAnswer;
            return null;
        }

        // No Engine up to API 1.51 (version 28) serves gRPC itself; to ask it first for what it will refuse costs a new process 20 ms.
        var first = known ?? (Version.Parse(ping.ApiVersion) < FirstDirectApiVersion ? GrpcRoute.Upgrade : GrpcRoute.Direct);
        var second = first == GrpcRoute.Direct ? GrpcRoute.Upgrade : GrpcRoute.Direct;
        var failures = new Dictionary<GrpcRoute, BuildKitException>();
        foreach (var route in new[] { first, second })
        {
            var upgradeWith = route == GrpcRoute.Upgrade ? engine : null;
            var limit = route == GrpcRoute.Direct ? Min(DirectTryTimeout, transport.ConnectTimeout) : transport.ConnectTimeout;
            var outcome = await TryAsync(
                channel => new Found(BuildKitServerKind.DockerEngine, route, channel, [], engine, ping), upgradeWith, limit, cancellationToken).ConfigureAwait(false);
            if (outcome.Found is not null)
                return outcome.Found;
            failures[route] = outcome.Failure!;
        }

        throw failures[GrpcRoute.Upgrade] is DockerApiException { StatusCode: HttpStatusCode.NotFound }
            ? ConnectionFailures.NotABuilder(transport.Target, "the Docker Engine there serves no BuildKit, neither directly nor by /grpc", null, failures[GrpcRoute.Direct])
            : failures[GrpcRoute.Upgrade];
    }

    private async Task<Found> FindBuildkitdAsync(CancellationToken cancellationToken)
    {
        var outcome = await TryAsync(Buildkitd, null, transport.ConnectTimeout, cancellationToken).ConfigureAwait(false);
        if (outcome.Found is not null)
            return outcome.Found;
        if (outcome.Failure!.ErrorId is "BuildKit.ConnectionLost" or "BuildKit.NotABuilder")
            throw await PeerDiagnosis.ExplainAsync(transport, _peerAnswer, outcome.Failure, cancellationToken).ConfigureAwait(false);
        throw outcome.Failure;
    }

    private static Found Buildkitd(GrpcChannel channel) => new(BuildKitServerKind.Buildkitd, GrpcRoute.Direct, channel, [], null, null);

    /// <summary>Asks for the workers, which every daemon can tell and a build has to know, over a new channel.</summary>
    private async Task<Outcome> TryAsync(Func<GrpcChannel, Found> create, DockerEngineClient? upgradeWith, TimeSpan limit, CancellationToken cancellationToken)
    {
        var channel = new GrpcChannel(async token => upgradeWith is null
            ? await transport.ConnectAsync(ApplicationProtocol.Http2, token).ConfigureAwait(false)
            : await upgradeWith.UpgradeAsync("/grpc", "h2c", [], token).ConfigureAwait(false));
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(limit);
        BuildKitException failure;
        try
        {
            var response = await new ControlClient(channel).ListWorkersAsync(timeout.Token).ConfigureAwait(false);
            return new Outcome(create(channel) with { Workers = WorkerRecords.ToWorkers(response) }, null);
        }
        catch (RpcException exception)
        {
            failure = exception.InnerException is BuildKitException own ? own : DaemonErrors.FromRpc(transport, exception);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            failure = ConnectionFailures.Timeout(transport.Target, limit, exception);
        }
        catch
        {
            await channel.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        await channel.DisposeAsync().ConfigureAwait(false);
        return new Outcome(null, failure);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private readonly record struct Outcome(Found? Found, BuildKitException? Failure);
}
