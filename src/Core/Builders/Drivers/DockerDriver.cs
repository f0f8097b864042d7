namespace BuildKit.Builders.Drivers;

/// <summary>The BuildKit inside a Docker Engine (docker/buildx driver/docker).</summary>
internal sealed class DockerDriver : BuilderDriver
{
    public override string Name => "docker";

    public override bool AllowsInstances => false;

    public override void Validate(BuildKitNode node)
    {
    }

    public override Task<BuildKitEndpoint> FindEndpointAsync(BuilderNode node, CancellationToken cancellationToken) => node.FindEngine(node.Node.Endpoint, cancellationToken);
}
