namespace BuildKit.Builders.Drivers;

/// <summary>A buildkitd in a container of a Docker Engine, made, started and reached through the Engine's API (docker/buildx driver/docker-container).</summary>
internal sealed class DockerContainerDriver : BuilderDriver
{
    // docker/buildx driver/driver.go, BuilderName
    private const string ContainerPrefix = "buildx_buildkit_";

    public override string Name => "docker-container";

    public override bool OwnsDaemon => true;

    public override void Validate(BuildKitNode node)
    {
    }

    public override async Task<BuildKitEndpoint> FindEndpointAsync(BuilderNode node, CancellationToken cancellationToken) =>
        BuildKitEndpoint.Parse($"docker-container://{ContainerPrefix}{node.Node.Name}") with
        {
            Engine = await node.FindEngine(node.Node.Endpoint, cancellationToken).ConfigureAwait(false),
        };

    public override Task<BuildKitNodeStatus> GetStatusAsync(BuilderNode node, CancellationToken cancellationToken) => throw new NotImplementedException();
}
