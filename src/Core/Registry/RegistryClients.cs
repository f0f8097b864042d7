using BuildKit.Docker;

namespace BuildKit.Registry;

/// <summary>The registries that one piece of work uses, with one set of connections and tokens for each.</summary>
/// <param name="options">How they are used; the credentials in it stay the caller's.</param>
internal sealed class RegistryClients(RegistryOptions options) : IDisposable
{
    private readonly Dictionary<string, RegistryConnection> _connections = new(StringComparer.OrdinalIgnoreCase);
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>A client for the repository of a name; nothing is sent yet. It works until this object is disposed.</summary>
    /// <exception cref="BuildKitException">A certificate for the registry can't be read.</exception>
    public async Task<RegistryClient> GetAsync(ImageReference reference, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_connections.TryGetValue(reference.Registry, out var connection))
                _connections[reference.Registry] = connection = await RegistryConnection.CreateAsync(reference.Registry, options, cancellationToken).ConfigureAwait(false);
            return new RegistryClient(connection, reference.Path);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose()
    {
        foreach (var connection in _connections.Values)
            connection.Dispose();
        _one.Dispose();
    }
}
