using BuildKit.Builders;
using BuildKit.Protocol.Gateway;

namespace BuildKit.Solve.Gateway;

/// <summary>
/// What a daemon says it can do, by the ids of moby/buildkit frontend/gateway/pb/caps.go and solver/pb/caps.go, such as <c>exporter.multiple</c> or <c>cache.gha</c>.
/// Unlike a version it can be trusted, whatever the daemon calls itself.
/// </summary>
/// <param name="Frontend">What a frontend can ask of it.</param>
/// <param name="Llb">What a build's definition, its exporters and caches can use.</param>
internal sealed record GatewayCaps(IReadOnlySet<string> Frontend, IReadOnlySet<string> Llb)
{
    /// <summary>Asks a daemon, by a build that is opened and closed at once: a few milliseconds, and no trace in its history.</summary>
    /// <exception cref="BuildKitException">The daemon refused, or the connection broke.</exception>
    public static Task<GatewayCaps> GetAsync(BuildKitConnection connection, CancellationToken cancellationToken) =>
        GatewayBuild.RunAsync(
            connection, static async (gateway, token) => Read(await gateway.PingAsync(token).ConfigureAwait(false)), cancellationToken);

    /// <summary>Whether it has a capability.</summary>
    public bool Supports(string id) => Llb.Contains(id) || Frontend.Contains(id);

    private static GatewayCaps Read(PongResponse pong) => new(Enabled(pong.FrontendAPICaps), Enabled(pong.LLBCaps));

    private static HashSet<string> Enabled(IEnumerable<APICap> caps) =>
        caps.Where(cap => cap.Enabled).Select(cap => cap.ID).ToHashSet(StringComparer.Ordinal);
}
