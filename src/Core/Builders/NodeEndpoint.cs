using BuildKit.Transport;

namespace BuildKit.Builders;

/// <summary>Where the node of a builder is, by the builder's driver (docker/buildx driver/).</summary>
internal static class NodeEndpoint
{
    // docker/buildx driver/driver.go, BuilderName
    private const string ContainerPrefix = "buildx_buildkit_";

    /// <summary>Finds the endpoint of a builder with one node.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="setting">What named it, such as <c>$env:BUILDX_BUILDER</c>; null where the caller did.</param>
    /// <param name="findEngine">Finds the Engine of a docker context or address.</param>
    /// <exception cref="BuildKitException"><c>BuildKit.BuilderNotSupported</c>, or an address or file of the node can't be right.</exception>
    public static async Task<BuildKitEndpoint> FindAsync(BuildKitBuilder builder, string? setting, Func<string, Task<BuildKitEndpoint>> findEngine)
    {
        if (builder.Nodes.Count != 1)
            throw NotSupported(builder, $"it has {builder.Nodes.Count} nodes, and one is supported so far", "Name one node's address as -Builder.");
        var node = builder.Nodes[0];
        var endpoint = builder.Driver switch
        {
            "remote" => BuildKitEndpoint.Parse(node.Endpoint, Tls(node), BuildKitServerKind.Buildkitd) with { Kind = BuildKitServerKind.Buildkitd },
            "docker-container" => BuildKitEndpoint.Parse($"docker-container://{ContainerPrefix}{node.Name}") with { Engine = await findEngine(node.Endpoint).ConfigureAwait(false) },
            "docker" or "" => await findEngine(node.Endpoint).ConfigureAwait(false),
            var driver => throw NotSupported(builder, $"its driver is '{driver}'", "Builders with the drivers docker, docker-container and remote can be used."),
        };
        return endpoint with { Name = builder.Name, Source = setting is null ? $"builder '{builder.Name}'" : $"builder '{builder.Name}', {setting}" };
    }

    private static BuildKitTlsOptions? Tls(BuildKitNode node)
    {
        var ca = node.DriverOptions.GetValueOrDefault("cacert");
        var certificate = node.DriverOptions.GetValueOrDefault("cert");
        var serverName = node.DriverOptions.GetValueOrDefault("servername");
        return (ca ?? certificate ?? serverName) is null
            ? null
            : new BuildKitTlsOptions { CaFile = ca, CertificateFile = certificate, KeyFile = node.DriverOptions.GetValueOrDefault("key"), ServerName = serverName };
    }

    private static BuildKitException NotSupported(BuildKitBuilder builder, string why, string action) =>
        new("BuildKit.BuilderNotSupported", BuildKitErrorCategory.NotSupported, $"The builder '{builder.Name}' can't be used: {why}.", action) { Target = builder.Name };
}
