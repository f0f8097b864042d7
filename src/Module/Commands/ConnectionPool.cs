using System.Collections.Concurrent;
using BuildKit.Builders;

namespace BuildKit.Module.Commands;

/// <summary>The connections that this process holds open, one an endpoint, so that a second call does not pay for the first one's handshake.</summary>
internal static class ConnectionPool
{
    private static readonly ConcurrentDictionary<BuildKitEndpoint, BuildKitConnection> Connections = new();

    /// <summary>The names of the open connections.</summary>
    public static IEnumerable<string> Names => Connections.Values.Select(connection => connection.Name);

    /// <summary>Finds the connection that is meant, and opens it where there is none.</summary>
    /// <param name="builder">
    /// An open connection, an endpoint, a server, a builder or one of its nodes, an address, the name of a builder or docker context, or null for what the settings say.
    /// The address of an open connection means that connection, certificates and all.
    /// </param>
    /// <param name="explain">Is told which daemon was chosen, and by what.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>An open connection, which stays open.</returns>
    public static Task<BuildKitConnection> ConnectAsync(object? builder, Action<string> explain, CancellationToken cancellationToken) =>
        ConnectAsync(builder, "Builder", explain, null, cancellationToken);

    /// <summary>Finds the connection that is meant for something, and opens it where there is none. Of a builder with several nodes it is the first one's.</summary>
    /// <param name="builder">As above.</param>
    /// <param name="role">What the daemon is for, in a word or two.</param>
    /// <param name="explain">Is told which daemon was chosen, and by what.</param>
    /// <param name="boot">Is told of the boot where a builder's node does not run, or null.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>An open connection, which stays open.</returns>
    public static async Task<BuildKitConnection> ConnectAsync(
        object? builder, string role, Action<string> explain, IProgress<BuilderBootEvent>? boot, CancellationToken cancellationToken)
    {
        if (builder is BuildKitConnection given)
            return given;
        var target = await FindAsync(builder, cancellationToken).ConfigureAwait(false);
        return await ConnectAsync(target.Nodes[0].Endpoint, role, explain, boot, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens the connection to an endpoint, or finds it open.</summary>
    /// <param name="endpoint">Where the daemon is.</param>
    /// <param name="role">What the daemon is for, in a word or two.</param>
    /// <param name="explain">Is told which daemon was chosen, and by what.</param>
    /// <param name="boot">Is told of the boot where a builder's node does not run, or null.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>An open connection, which stays open.</returns>
    public static async Task<BuildKitConnection> ConnectAsync(
        BuildKitEndpoint endpoint, string role, Action<string> explain, IProgress<BuilderBootEvent>? boot, CancellationToken cancellationToken)
    {
        var where = endpoint.Node is { } node ? $"{role}, node {node}" : role;
        explain(endpoint.Source is { } source ? $"{where}: {endpoint.Address}, chosen by {source}." : $"{where}: {endpoint.Address}.");
        // An address alone says nothing of certificates: a connection that was opened with some is the one that is meant. A container's name does not say on which Engine.
        var isAddressEnough = endpoint.Tls is null && endpoint.Scheme != "docker-container";
        if ((isAddressEnough ? FindByAddress(endpoint.Address) : Connections.GetValueOrDefault(endpoint)) is { } open)
        {
            // Its node may have been stopped since.
            await endpoint.BootAsync(boot, cancellationToken).ConfigureAwait(false);
            return open;
        }
        var connection = await BuildKitConnection.ConnectAsync(endpoint, boot, cancellationToken).ConfigureAwait(false);
        var kept = Connections.GetOrAdd(endpoint, connection);
        if (kept != connection)
            await connection.DisposeAsync().ConfigureAwait(false);
        return kept;
    }

    /// <summary>Finds the builder that is meant, with all of its nodes.</summary>
    /// <param name="builder">As above, but an open connection.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The builder, to none of whose nodes a connection was tried yet.</returns>
    public static async Task<BuilderTarget> FindAsync(object? builder, CancellationToken cancellationToken) => builder switch
    {
        BuilderTarget target => target,
        BuildKitEndpoint endpoint => Target(endpoint),
        BuildKitServer { Endpoint: { } endpoint } => Target(endpoint),
        BuildKitNode node => await new EndpointResolver().ResolveNodeAsync(node, cancellationToken).ConfigureAwait(false),
        _ => await new EndpointResolver().ResolveBuilderAsync(builder?.ToString(), cancellationToken).ConfigureAwait(false),
    };

    /// <summary>Finds an open connection.</summary>
    /// <param name="name">Its name or address.</param>
    /// <returns>The connection, or null.</returns>
    public static BuildKitConnection? Find(string name) =>
        Connections.Values.FirstOrDefault(connection => connection.Name == name) ?? FindByAddress(name);

    /// <summary>Closes a connection.</summary>
    public static async Task CloseAsync(BuildKitConnection connection)
    {
        Connections.TryRemove(KeyValuePair.Create(connection.Endpoint, connection));
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Closes the connections to a builder's nodes, whose daemons are about to go: a call after this starts them anew.</summary>
    /// <param name="builder">The builder.</param>
    public static async Task CloseAsync(BuildKitBuilder builder)
    {
        foreach (var connection in Connections.Values.Where(connection => connection.Name == builder.Name))
            await CloseAsync(connection).ConfigureAwait(false);
    }

    /// <summary>Closes all connections.</summary>
    public static async Task CloseAllAsync()
    {
        foreach (var connection in Connections.Values)
            await CloseAsync(connection).ConfigureAwait(false);
    }

    private static BuilderTarget Target(BuildKitEndpoint endpoint) => new(endpoint.Name, endpoint.Source, new List<BuilderTargetNode> { new(endpoint, null) });

    private static BuildKitConnection? FindByAddress(string address) =>
        Connections.Values.FirstOrDefault(connection => connection.Endpoint.Address == address);
}
