using BuildKit.Transport;

namespace BuildKit.Builders.Drivers;

/// <summary>A buildkitd that somebody else runs, at an address (docker/buildx driver/remote).</summary>
internal sealed class RemoteDriver : BuilderDriver
{
    public override string Name => "remote";

    public override void Validate(BuildKitNode node) => BuildKitEndpoint.Parse(node.Endpoint, Tls(node), BuildKitServerKind.Buildkitd);

    public override Task<BuildKitEndpoint> FindEndpointAsync(BuilderNode node, CancellationToken cancellationToken) =>
        Task.FromResult(BuildKitEndpoint.Parse(node.Node.Endpoint, Tls(node.Node), BuildKitServerKind.Buildkitd) with { Kind = BuildKitServerKind.Buildkitd });

    public override Task<BuildKitNodeStatus> GetStatusAsync(BuilderNode node, CancellationToken cancellationToken) => throw new NotImplementedException();

    private static BuildKitTlsOptions? Tls(BuildKitNode node)
    {
        var ca = node.DriverOptions.GetValueOrDefault("cacert");
        var certificate = node.DriverOptions.GetValueOrDefault("cert");
        var serverName = node.DriverOptions.GetValueOrDefault("servername");
        return (ca ?? certificate ?? serverName) is null
            ? null
            : new BuildKitTlsOptions { CaFile = ca, CertificateFile = certificate, KeyFile = node.DriverOptions.GetValueOrDefault("key"), ServerName = serverName };
    }
}
