using System.Text;
using System.Text.Json;

namespace BuildKit.Docker;

/// <summary>
/// The credentials of registries, as the docker CLI finds them: <c>DOCKER_AUTH_CONFIG</c>, then the program that <c>credHelpers</c> or <c>credsStore</c> names,
/// and where neither is set, <c>auths</c> (docker/cli cli/config). Answers are kept for some minutes, because a program may be slow and asked for every image.
/// </summary>
internal sealed class CredentialStore : IDisposable
{
    /// <summary>Docker Hub's registry, and the key that the docker config has for it since the days of its index.</summary>
    public const string DockerHubHost = "registry-1.docker.io";
    private const string DockerHubKey = "https://index.docker.io/v1/";

    // As buildkit session/auth/authprovider: tokens of Google's Workload Identity live for 5 minutes.
    private static readonly TimeSpan CacheTime = new(0, 4, 50);
    private static readonly TimeSpan DefaultHelperTimeout = TimeSpan.FromSeconds(60);

    private readonly DockerConfigFile _config;
    private readonly Func<string, string?> _getEnvironmentVariable;
    private readonly TimeProvider _time;
    private readonly TimeSpan _helperTimeout;
    private readonly Dictionary<string, (DockerAuthConfig Auth, long Read)> _cache = new(StringComparer.Ordinal);

    // One program at a time: macOS' key chain hangs otherwise (docker/cli issue 1862).
    private readonly SemaphoreSlim _one = new(1, 1);

    public CredentialStore(DockerConfigFile config)
        : this(config, Environment.GetEnvironmentVariable, TimeProvider.System, DefaultHelperTimeout)
    {
    }

    internal CredentialStore(DockerConfigFile config, Func<string, string?> getEnvironmentVariable, TimeProvider time, TimeSpan helperTimeout)
    {
        _config = config;
        _getEnvironmentVariable = getEnvironmentVariable;
        _time = time;
        _helperTimeout = helperTimeout;
    }

    /// <summary>What the docker config calls a registry's host.</summary>
    public static string KeyOf(string host) => host is DockerHubHost or "docker.io" or "index.docker.io" ? DockerHubKey : host;

    /// <summary>The folder of the docker config.</summary>
    public string Directory => _config.Directory;

    /// <summary>The credentials for a registry, or an empty set.</summary>
    /// <param name="host">The registry's host with its port, as in an image's name or as the daemon asks: <c>ghcr.io</c>, <c>registry-1.docker.io</c>, <c>127.0.0.1:5000</c>.</param>
    /// <param name="cancellationToken">Ends a program that is asked.</param>
    /// <exception cref="BuildKitException">A program failed, or <c>DOCKER_AUTH_CONFIG</c> is malformed.</exception>
    public async Task<DockerAuthConfig> GetAsync(string host, CancellationToken cancellationToken)
    {
        var key = KeyOf(host);
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_cache.TryGetValue(key, out var cached) && _time.GetElapsedTime(cached.Read) <= CacheTime)
                return cached.Auth;
            var auth = await FindAsync(key, cancellationToken).ConfigureAwait(false);
            _cache[key] = (auth, _time.GetTimestamp());
            return auth;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<DockerAuthConfig> FindAsync(string key, CancellationToken cancellationToken)
    {
        if (FromEnvironment(key) is { } given)
            return given;
        if (HelperOf(key) is not { } helper)
            return FromFile(key);
        var found = await helper.GetAsync(key, cancellationToken).ConfigureAwait(false);
        // What no program keeps stays in the file.
        return found with { RegistryToken = FromFile(key).RegistryToken };
    }

    /// <summary>The program that is asked for a registry; null where there is none.</summary>
    /// <param name="key">What the docker config calls the registry.</param>
    public CredentialHelper? HelperOf(string key)
    {
        if (!_config.CredentialHelpers.TryGetValue(key, out var suffix))
            suffix = _config.CredentialsStore;
        return string.IsNullOrEmpty(suffix) ? null : new CredentialHelper(suffix, _getEnvironmentVariable("PATH"), _helperTimeout);
    }

    private DockerAuthConfig FromFile(string key)
    {
        if (_config.Auths.TryGetValue(key, out var auth))
            return auth;
        // Old configs have keys such as "https://example.com/v1/".
        foreach (var (address, legacy) in _config.Auths)
            if (ToHost(address) == key)
                return legacy;
        return new DockerAuthConfig();
    }

    private DockerAuthConfig? FromEnvironment(string key)
    {
        const string Variable = "DOCKER_AUTH_CONFIG";
        if (_getEnvironmentVariable(Variable) is not { Length: > 0 } text)
            return null;
        try
        {
            if (JsonSerializer.Deserialize(text, DockerJson.Default.DockerConfigJson)?.Auths is not { } auths || !auths.TryGetValue(key, out var entry))
                return null;
            var pair = Encoding.UTF8.GetString(Convert.FromBase64String(entry?.Auth ?? string.Empty));
            var colon = pair.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
                return new DockerAuthConfig { Username = pair[..colon], Password = pair[(colon + 1)..].Trim('\0') };
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            // Said below, without the inner exception, whose text may quote a secret.
        }
        throw new BuildKitException(
            "BuildKit.DockerConfigInvalid", BuildKitErrorCategory.InvalidArgument, $"The environment variable {Variable} is malformed.",
            "It takes {\"auths\":{\"HOST\":{\"auth\":\"BASE64 OF USER:PASSWORD\"}}}. Correct or remove it.")
        { Target = Variable };
    }

    /// <summary>The host of what an old docker config, or a person, names a registry by: <c>https://example.com/v1/</c>.</summary>
    public static string ToHost(string address)
    {
        var scheme = address.IndexOf("://", StringComparison.Ordinal);
        var rest = scheme < 0 ? address : address[(scheme + 3)..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? rest : rest[..slash];
    }
}
