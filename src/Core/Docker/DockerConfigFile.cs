using System.Collections.ObjectModel;
using System.Text;
using System.Text.Json;

namespace BuildKit.Docker;

/// <summary>The docker CLI's <c>config.json</c>, read and never written. Nothing in its text is a secret.</summary>
internal sealed record DockerConfigFile
{
    /// <summary>The folder of the config, in which contexts lie as well.</summary>
    public required string Directory { get; init; }

    /// <summary>The file, whether it exists or not.</summary>
    public string FilePath => Path.Combine(Directory, "config.json");

    /// <summary>Credentials by registry, keyed as the file has them: <c>ghcr.io</c>, <c>https://index.docker.io/v1/</c>.</summary>
    public IReadOnlyDictionary<string, DockerAuthConfig> Auths { get; init; } = ReadOnlyDictionary<string, DockerAuthConfig>.Empty;

    /// <summary>The suffix of the <c>docker-credential-…</c> program for every registry without one of its own, or null.</summary>
    public string? CredentialsStore { get; init; }

    /// <summary>The suffix of the <c>docker-credential-…</c> program by registry.</summary>
    public IReadOnlyDictionary<string, string> CredentialHelpers { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>The docker context in use, or null.</summary>
    public string? CurrentContext { get; init; }

    /// <summary>Proxies for builds, by the daemon's address or <c>default</c>.</summary>
    public IReadOnlyDictionary<string, DockerProxyConfig> Proxies { get; init; } = ReadOnlyDictionary<string, DockerProxyConfig>.Empty;

    /// <summary>Headers for every request to an Engine.</summary>
    public IReadOnlyDictionary<string, string> HttpHeaders { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary><c>$DOCKER_CONFIG</c>, or <c>.docker</c> in the user's home.</summary>
    public static string DefaultDirectory(Func<string, string?> getEnvironmentVariable) =>
        getEnvironmentVariable("DOCKER_CONFIG") is { Length: > 0 } directory
            ? directory
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".docker");

    /// <summary>Reads the config of <see cref="DefaultDirectory"/>.</summary>
    public static Task<DockerConfigFile> LoadAsync(CancellationToken cancellationToken) =>
        LoadAsync(DefaultDirectory(Environment.GetEnvironmentVariable), cancellationToken);

    /// <summary>Reads <c>config.json</c> in a folder; a missing or empty file is an empty config, a malformed one <c>BuildKit.DockerConfigInvalid</c>.</summary>
    public static async Task<DockerConfigFile> LoadAsync(string directory, CancellationToken cancellationToken)
    {
        var empty = new DockerConfigFile { Directory = directory };
        byte[] bytes;
        try
        {
            bytes = await File.ReadAllBytesAsync(empty.FilePath, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return empty;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BuildKitException(
                "BuildKit.DockerConfigUnreadable", BuildKitErrorCategory.PermissionDenied, $"The docker config '{empty.FilePath}' can't be read: {exception.Message}",
                "Make the file readable for this user, or set DOCKER_CONFIG to another folder.", exception)
            {
                Target = empty.FilePath,
            };
        }

        var json = Parse(empty.FilePath, bytes);
        return json is null ? empty : new DockerConfigFile
        {
            Directory = directory,
            Auths = json.Auths?.ToDictionary(entry => entry.Key, entry => DecodeAuth(empty.FilePath, entry.Key, entry.Value)) ?? empty.Auths,
            CredentialsStore = NullIfEmpty(json.CredsStore),
            CredentialHelpers = json.CredHelpers ?? empty.CredentialHelpers,
            CurrentContext = NullIfEmpty(json.CurrentContext),
            Proxies = json.Proxies?.ToDictionary(entry => entry.Key, entry => entry.Value ?? new DockerProxyConfig()) ?? empty.Proxies,
            HttpHeaders = json.HttpHeaders ?? empty.HttpHeaders,
        };
    }

    public override string ToString() => $"{nameof(DockerConfigFile)} {FilePath}";

    private static DockerConfigJson? Parse(string path, byte[] bytes)
    {
        // Editors on Windows put a byte order mark in front.
        ReadOnlySpan<byte> text = bytes;
        if (text.StartsWith("\uFEFF"u8))
            text = text[3..];
        if (text.Trim(" \t\r\n"u8).IsEmpty)
            return null;
        try
        {
            return JsonSerializer.Deserialize(text, DockerJson.Default.DockerConfigJson);
        }
        catch (JsonException exception)
        {
            throw Invalid(path, DockerJson.Position(exception), exception);
        }
    }

    // "auth" is base64 of user:password and wins over the two fields, as in docker/cli cli/config/configfile.
    private static DockerAuthConfig DecodeAuth(string path, string registry, DockerConfigJson.AuthJson? json)
    {
        var auth = new DockerAuthConfig
        {
            Username = NullIfEmpty(json?.Username),
            Password = NullIfEmpty(json?.Password),
            IdentityToken = NullIfEmpty(json?.IdentityToken),
            RegistryToken = NullIfEmpty(json?.RegistryToken),
        };
        if (string.IsNullOrEmpty(json?.Auth))
            return auth;

        var decoded = new byte[json.Auth.Length];
        if (!Convert.TryFromBase64String(json.Auth, decoded, out var length))
            throw Invalid(path, $"auths['{registry}'].auth is not base64", null);
        var text = Encoding.UTF8.GetString(decoded, 0, length);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
            throw Invalid(path, $"auths['{registry}'].auth holds no user:password", null);
        return auth with { Username = text[..colon], Password = text[(colon + 1)..].Trim('\0') };
    }

    private static BuildKitException Invalid(string path, string where, Exception? inner) => new(
        "BuildKit.DockerConfigInvalid", BuildKitErrorCategory.InvalidArgument, $"The docker config '{path}' is malformed: {where}.",
        "Correct the file, or set DOCKER_CONFIG to another folder.", inner)
    {
        Target = path,
    };

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
