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
    /// <param name="builder">An open connection, an endpoint, a server, the name or address of a connection, an address, the name of a docker context, or null for what the settings say.</param>
    /// <param name="explain">Is told which daemon was chosen, and by what.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>An open connection, which stays open.</returns>
    public static async Task<BuildKitConnection> ConnectAsync(object? builder, Action<string> explain, CancellationToken cancellationToken)
    {
        if (builder is BuildKitConnection given)
            return given;
        if (builder is BuildKitServer server)
            builder = server.Address;
        if (builder is string name && Find(name) is { } known)
        {
            explain($"Builder: the open connection to {known.Endpoint.Address}.");
            return known;
        }
        var endpoint = builder as BuildKitEndpoint ?? await new EndpointResolver().ResolveAsync(builder?.ToString(), cancellationToken).ConfigureAwait(false);
        explain(endpoint.Source is { } source ? $"Builder: {endpoint.Address}, chosen by {source}." : $"Builder: {endpoint.Address}.");
        if (Connections.TryGetValue(endpoint, out var open))
            return open;
        var connection = await BuildKitConnection.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
        var kept = Connections.GetOrAdd(endpoint, connection);
        if (kept != connection)
            await connection.DisposeAsync().ConfigureAwait(false);
        return kept;
    }

    /// <summary>Finds an open connection.</summary>
    /// <param name="name">Its name or address.</param>
    /// <returns>The connection, or null.</returns>
    public static BuildKitConnection? Find(string name) =>
        Connections.Values.FirstOrDefault(connection => connection.Name == name) ?? Connections.Values.FirstOrDefault(connection => connection.Endpoint.Address == name);

    /// <summary>Closes a connection.</summary>
    public static async Task CloseAsync(BuildKitConnection connection)
    {
        Connections.TryRemove(KeyValuePair.Create(connection.Endpoint, connection));
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Closes all connections.</summary>
    public static async Task CloseAllAsync()
    {
        foreach (var connection in Connections.Values)
            await CloseAsync(connection).ConfigureAwait(false);
    }
}
