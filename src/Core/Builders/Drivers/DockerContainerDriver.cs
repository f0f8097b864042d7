using System.Net;
using BuildKit.Docker;

namespace BuildKit.Builders.Drivers;

/// <summary>A buildkitd in a container of a Docker Engine, made, started and reached through the Engine's API (docker/buildx driver/docker-container).</summary>
internal sealed class DockerContainerDriver : BuilderDriver
{
    private readonly SharedBoots _boots = new();

    public override string Name => "docker-container";

    public override bool OwnsDaemon => true;

    public override void Validate(BuildKitNode node)
    {
        DockerContainerOptions.Read(node.DriverOptions);
        DockerContainerFiles.Validate(node.Files.Keys);
    }

    public override async Task<BuildKitEndpoint> FindEndpointAsync(BuilderNode node, CancellationToken cancellationToken) =>
        BuildKitEndpoint.Parse($"docker-container://{DockerContainerSpec.ContainerName(node.Node)}") with
        {
            Engine = await node.FindEngine(node.Node.Endpoint, cancellationToken).ConfigureAwait(false),
        };

    public override async Task<BuildKitNodeStatus> GetStatusAsync(BuilderNode node, CancellationToken cancellationToken)
    {
        using var engine = await OpenEngineAsync(node, cancellationToken).ConfigureAwait(false);
        var found = await engine.Client.Containers.InspectContainerAsync(DockerContainerSpec.ContainerName(node.Node), cancellationToken).ConfigureAwait(false);
        return found?.State.Status switch
        {
            null => BuildKitNodeStatus.Inactive,
            "running" => BuildKitNodeStatus.Running,
            "restarting" => BuildKitNodeStatus.Starting,
            "removing" => BuildKitNodeStatus.Stopping,
            "created" or "exited" => BuildKitNodeStatus.Stopped,
            _ => BuildKitNodeStatus.Error, // paused, dead
        };
    }

    public override async Task BootAsync(BuilderNode node, IProgress<BuilderBootEvent>? progress, CancellationToken cancellationToken)
    {
        var daemon = await FindEndpointAsync(node, cancellationToken).ConfigureAwait(false);
        await _boots.RunAsync(daemon, BootAsync, progress, cancellationToken).ConfigureAwait(false);

        async Task BootAsync(IProgress<BuilderBootEvent> all, CancellationToken stop)
        {
            using var engine = await OpenEngine.AtAsync(daemon.Engine!, stop).ConfigureAwait(false);
            await new DockerContainerBoot(engine.Client, daemon, node, all).RunAsync(stop).ConfigureAwait(false);
        }
    }

    public override async Task StopAsync(BuilderNode node, CancellationToken cancellationToken)
    {
        var container = DockerContainerSpec.ContainerName(node.Node);
        using var engine = await OpenEngineAsync(node, cancellationToken).ConfigureAwait(false);
        if (await engine.Client.Containers.InspectContainerAsync(container, cancellationToken).ConfigureAwait(false) is { State.Running: true })
            await engine.Client.Containers.StopContainerAsync(container, cancellationToken).ConfigureAwait(false);
    }

    public override async Task RemoveAsync(BuilderNode node, bool keepState, CancellationToken cancellationToken)
    {
        using var engine = await OpenEngineAsync(node, cancellationToken).ConfigureAwait(false);
        try
        {
            await engine.Client.Containers.RemoveContainerAsync(DockerContainerSpec.ContainerName(node.Node), cancellationToken).ConfigureAwait(false);
        }
        catch (DockerApiException exception) when (exception.StatusCode == HttpStatusCode.NotFound)
        {
            // It was never booted.
        }
        if (!keepState)
            await engine.Client.Volumes.RemoveAsync(DockerContainerSpec.StateVolume(node.Node), cancellationToken).ConfigureAwait(false);
    }

    private static async Task<OpenEngine> OpenEngineAsync(BuilderNode node, CancellationToken cancellationToken) =>
        await OpenEngine.AtAsync(await node.FindEngine(node.Node.Endpoint, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
}
