using BuildKit.Docker;
using BuildKit.Registry;
using BuildKit.Tests.Docker;
using BuildKit.Tests.Engines;

namespace BuildKit.Tests.Registry;

/// <summary>Clients for registries, with a docker config that belongs to the test.</summary>
internal sealed class RegistryAccess : IDisposable
{
    private readonly TestDockerConfig _config = new();
    private readonly CredentialStore _credentials;

    private RegistryAccess(string config, Func<RegistryOptions, RegistryOptions>? options)
    {
        _config.WriteConfig(config);
        _credentials = new CredentialStore(DockerConfigFile.LoadAsync(_config.Directory, CancellationToken.None).GetAwaiter().GetResult());
        var chosen = new RegistryOptions
        {
            Credentials = _credentials,
            CertificateDirectories = [Path.Combine(_config.Directory, "certs.d")],
            RetryDelay = TimeSpan.FromMilliseconds(5),
        };
        Options = options?.Invoke(chosen) ?? chosen;
        Clients = new RegistryClients(Options);
    }

    public RegistryOptions Options { get; }

    public RegistryClients Clients { get; }

    public string ConfigDirectory => _config.Directory;

    /// <param name="authority">The registry.</param>
    /// <param name="account">Who uses it, or null for nobody.</param>
    /// <param name="options">Changes the options.</param>
    public static RegistryAccess As(string authority, RegistryAccount? account, Func<RegistryOptions, RegistryOptions>? options = null) =>
        new(account is null ? "{}" : "{\"auths\":{\"" + authority + "\":{\"auth\":\"" + account.Base64 + "\"}}}", options);

    public static RegistryAccess As(TestEngine registry, RegistryAccount? account) => As(registry.Address.Authority, account);

    /// <summary>With an entry of <c>auths</c> in the docker config's own words.</summary>
    public static RegistryAccess With(string authority, string entry) => new("{\"auths\":{\"" + authority + "\":" + entry + "}}", null);

    public Task<RegistryClient> ClientAsync(string name) => Clients.GetAsync(ImageReference.Parse(name), CancellationToken.None);

    public void Dispose()
    {
        Clients.Dispose();
        _credentials.Dispose();
        _config.Dispose();
    }
}
