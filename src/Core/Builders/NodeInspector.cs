using BuildKit.Builders.Drivers;

namespace BuildKit.Builders;

/// <summary>Asks nodes how they are. Nothing is started, and a node that can't be asked has its error instead.</summary>
internal static class NodeInspector
{
    /// <summary>Asks all nodes at once.</summary>
    /// <param name="settings">Where nodes lead.</param>
    /// <param name="builder">The builder.</param>
    /// <param name="timeout">How long a node may take.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<BuildKitBuilder> InspectAsync(BuilderSettings settings, BuildKitBuilder builder, TimeSpan timeout, CancellationToken cancellationToken) => builder with
    {
        Nodes = (await Task.WhenAll(builder.Nodes.Select(node => InspectAsync(settings, builder, node, timeout, cancellationToken))).ConfigureAwait(false)).ToList(),
    };

    private static async Task<BuildKitNode> InspectAsync(
        BuilderSettings settings, BuildKitBuilder builder, BuildKitNode node, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            return await AskAsync(settings, builder, node, timeout, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return node with { Status = BuildKitNodeStatus.Error, Error = $"{node.Endpoint} did not answer within {timeout.TotalSeconds:0.#} s." };
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Whatever one node does, the others are told.
            return node with { Status = BuildKitNodeStatus.Error, Error = e.Message };
        }
    }

    private static async Task<BuildKitNode> AskAsync(BuilderSettings settings, BuildKitBuilder builder, BuildKitNode node, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var driver = BuilderDrivers.Of(builder);
        var known = settings.Node(builder, node);
        var status = await driver.GetStatusAsync(known, cancellationToken).ConfigureAwait(false);
        if (status is not (BuildKitNodeStatus.Running or BuildKitNodeStatus.Unknown))
            return node with { Status = status, Error = status == BuildKitNodeStatus.Error ? $"What runs '{node.Name}' is there, but neither runs nor is stopped: 'docker ps --all' shows whether it is paused (docker unpause) or dead (docker rm --force)." : null };
        var endpoint = await driver.FindEndpointAsync(known, cancellationToken).ConfigureAwait(false) with { ConnectTimeout = timeout };
        var connection = await BuildKitConnection.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var server = await connection.GetServerAsync(cancellationToken).ConfigureAwait(false);
            return node with { Status = BuildKitNodeStatus.Running, Version = server.Version, WorkerPlatforms = server.Platforms };
        }
    }
}
