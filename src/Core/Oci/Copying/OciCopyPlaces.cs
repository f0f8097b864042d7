using BuildKit.Builders;
using BuildKit.Registry;

namespace BuildKit.Oci.Copying;

/// <summary>What a copy connects to; opened when it is needed, and closed with this.</summary>
internal sealed class OciCopyPlaces : IAsyncDisposable
{
    private readonly BuildKitConnection? _given;
    private BuildKitConnection? _own;

    /// <param name="options">What is copied.</param>
    /// <param name="registries">How registries are used; disposed with this.</param>
    public OciCopyPlaces(OciCopyOptions options, RegistrySession registries)
    {
        _given = options.Engine;
        Registries = registries;
    }

    public RegistrySession Registries { get; }

    /// <summary>The Docker Engine that was given, or the one that docker itself would use.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.EngineRequired</c>, or nobody answers.</exception>
    public async Task<BuildKitConnection> GetEngineAsync(CancellationToken cancellationToken)
    {
        var connection = _given ?? _own;
        if (connection is null)
        {
            var endpoint = await new EndpointResolver().ResolveEngineAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
            connection = _own = await BuildKitConnection.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
        }
        return connection.Engine is not null ? connection : throw new BuildKitException(
            "BuildKit.EngineRequired", BuildKitErrorCategory.NotSupported, $"'{connection.Name}' has no images of its own: a standalone buildkitd answers there.", "Name a Docker Engine.")
        { Target = connection.Name };
    }

    public async ValueTask DisposeAsync()
    {
        Registries.Dispose();
        if (_own is not null)
            await _own.DisposeAsync().ConfigureAwait(false);
    }
}
