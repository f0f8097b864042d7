using System.Collections.Concurrent;
using BuildKit.Builders;

namespace BuildKit.Module.Commands;

/// <summary>
/// The connections that this process holds open, so that a second call does not pay for the first one's handshake: one an endpoint and name, because a connection tells, and writes down
/// the use of, the builder that it was opened for.
/// </summary>
internal static class ConnectionPool
{
    private static readonly ConcurrentDictionary<(BuildKitEndpoint Place, string Name, string? Node), BuildKitConnection> Connections = new();

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
        var isAddress = endpoint.Tls is null && endpoint.Name == endpoint.Address;
        if ((Connections.GetValueOrDefault(Key(endpoint)) ?? (isAddress ? FindWithTls(endpoint.Address) : null)) is { } open)
        {
            // Its node may have been stopped since.
            await endpoint.BootAsync(boot, cancellationToken).ConfigureAwait(false);
            return open;
        }
        var connection = await BuildKitConnection.ConnectAsync(endpoint, boot, cancellationToken).ConfigureAwait(false);
        var kept = Connections.GetOrAdd(Key(endpoint), connection);
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

    /// <summary>Finds open connections.</summary>
    /// <param name="builder">A connection, an endpoint, a server, a builder or one of its nodes, or a name or address.</param>
    /// <returns>The connections: those of all nodes where a builder is meant. None where none is open.</returns>
    public static IReadOnlyList<BuildKitConnection> Find(object builder) => builder switch
    {
        BuildKitConnection connection => [connection],
        BuildKitEndpoint endpoint => Find(endpoint),
        BuildKitServer { Endpoint: { } endpoint } => Find(endpoint),
        BuildKitBuilder { Name: var name } => Find(connection => connection.Name == name),
        // A docker context is a node without an entry in the store.
        BuildKitNode node => Find(connection => connection.Name == (node.Builder ?? node.Name) && (connection.Endpoint.Node ?? connection.Name) == node.Name),
        _ => FindNamed(builder.ToString() ?? string.Empty),
    };

    /// <summary>Finds the open connection that was made with certificates, about which an address alone says nothing.</summary>
    /// <param name="address">The address.</param>
    /// <returns>The connection; null where there is none.</returns>
    public static BuildKitConnection? FindWithTls(string address) => Find(connection => connection.Endpoint.Tls is not null && connection.Endpoint.Address == address).FirstOrDefault();

    /// <summary>Closes a connection.</summary>
    public static async Task CloseAsync(BuildKitConnection connection)
    {
        Connections.TryRemove(KeyValuePair.Create(Key(connection.Endpoint), connection));
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Closes connections.</summary>
    public static async Task CloseAsync(IEnumerable<BuildKitConnection> connections)
    {
        foreach (var connection in connections)
            await CloseAsync(connection).ConfigureAwait(false);
    }

    /// <summary>Closes the connections to a builder's nodes, whose daemons are about to go: a call after this starts them anew.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="node">The name of the only node that is about to go; null for all.</param>
    public static Task CloseAsync(BuildKitBuilder builder, string? node = null) =>
        CloseAsync(Find(builder).Where(connection => node is null || node.Equals(connection.Endpoint.Node, StringComparison.OrdinalIgnoreCase)));

    /// <summary>Closes all connections.</summary>
    public static Task CloseAllAsync() => CloseAsync(Connections.Values);

    private static BuilderTarget Target(BuildKitEndpoint endpoint) => new(endpoint.Name, endpoint.Source, new List<BuilderTargetNode> { new(endpoint, null) });

    private static (BuildKitEndpoint Place, string Name, string? Node) Key(BuildKitEndpoint endpoint) => (endpoint, endpoint.Name, endpoint.Node);

    private static BuildKitConnection[] Find(BuildKitEndpoint endpoint) => Connections.TryGetValue(Key(endpoint), out var connection) ? [connection] : [];

    private static BuildKitConnection[] FindNamed(string name) =>
        Find(connection => connection.Name == name) is { Length: > 0 } named ? named : Find(connection => connection.Endpoint.Address == name);

    private static BuildKitConnection[] Find(Func<BuildKitConnection, bool> isMeant) => Connections.Values.Where(isMeant).ToArray();
}
