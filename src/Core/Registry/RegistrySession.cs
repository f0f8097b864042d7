using BuildKit.Docker;

namespace BuildKit.Registry;

/// <summary>The registries that a piece of work may use, with the credentials of docker's config, which is read only when the first registry is needed.</summary>
/// <param name="isInsecure">See <see cref="RegistryOptions.IsInsecure"/>.</param>
/// <param name="options">How they are used instead, with credentials that stay the caller's; or null.</param>
internal sealed class RegistrySession(bool isInsecure, RegistryOptions? options = null) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1, 1);
    private CredentialStore? _credentials;
    private RegistryClients? _clients;

    /// <summary>A client for the repository of a name; nothing is sent yet. It works until this object is disposed.</summary>
    /// <exception cref="BuildKitException">Docker's config or a certificate for the registry can't be read.</exception>
    public async Task<RegistryClient> GetAsync(ImageReference reference, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (options is null)
                _credentials ??= new CredentialStore(await DockerConfigFile.LoadAsync(cancellationToken).ConfigureAwait(false));
            _clients ??= new RegistryClients(options ?? new RegistryOptions { Credentials = _credentials!, IsInsecure = isInsecure });
        }
        finally
        {
            _one.Release();
        }
        return await _clients.GetAsync(reference, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _clients?.Dispose();
        _credentials?.Dispose();
        _one.Dispose();
    }
}
