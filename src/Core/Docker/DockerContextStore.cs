using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using BuildKit.Transport;

namespace BuildKit.Docker;

/// <summary>The docker CLI's contexts: <c>contexts/meta/ID/meta.json</c> and <c>contexts/tls/ID/docker/*.pem</c>, where ID is the SHA-256 of the name.</summary>
/// <param name="configDirectory">The docker config's folder.</param>
internal sealed class DockerContextStore(string configDirectory)
{
    public const string NotFoundId = "BuildKit.DockerContextNotFound";

    private readonly string _directory = Path.Combine(configDirectory, "contexts");

    /// <summary>Reads a context; <c>BuildKit.DockerContextNotFound</c> where there is none of that name.</summary>
    public async Task<DockerContext> GetAsync(string name, CancellationToken cancellationToken)
    {
        var id = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name))).ToLowerInvariant();
        var path = Path.Combine(_directory, "meta", id, "meta.json");
        var meta = await ReadAsync(path, cancellationToken).ConfigureAwait(false) ?? throw await NotFoundAsync(name, cancellationToken).ConfigureAwait(false);
        if (meta.Endpoints?.GetValueOrDefault("docker") is not { Host: { Length: > 0 } host } endpoint)
            throw Invalid(path, "it has no Docker endpoint with a host", null);

        var tlsDirectory = Path.Combine(_directory, "tls", id, "docker");
        var tls = new BuildKitTlsOptions
        {
            CaFile = ExistingFile(tlsDirectory, "ca.pem"),
            CertificateFile = ExistingFile(tlsDirectory, "cert.pem"),
            KeyFile = ExistingFile(tlsDirectory, "key.pem"),
            SkipVerify = endpoint.SkipTlsVerify,
        };
        return new DockerContext(name, host, tls == new BuildKitTlsOptions() ? null : tls);
    }

    /// <summary>The names of all contexts, sorted; folders that can't be read are left out.</summary>
    public async Task<IReadOnlyList<string>> ListNamesAsync(CancellationToken cancellationToken)
    {
        var names = new List<string>();
        foreach (var context in Folders(Path.Combine(_directory, "meta")))
        {
            try
            {
                if ((await ReadAsync(Path.Combine(context, "meta.json"), cancellationToken).ConfigureAwait(false))?.Name is { Length: > 0 } name)
                    names.Add(name);
            }
            catch (BuildKitException)
            {
                // Another context's broken file must not hide the others.
            }
        }
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    private static string[] Folders(string directory)
    {
        try
        {
            return Directory.GetDirectories(directory);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Most people have none.
            return [];
        }
    }

    private static async Task<DockerContextJson?> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            var bytes = await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false);
            return JsonSerializer.Deserialize(bytes, DockerJson.Default.DockerContextJson);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException exception)
        {
            throw Invalid(path, DockerJson.Position(exception), exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Invalid(path, "it can't be read", exception);
        }
    }

    private static string? ExistingFile(string directory, string name)
    {
        var path = Path.Combine(directory, name);
        return File.Exists(path) ? path : null;
    }

    private async Task<BuildKitException> NotFoundAsync(string name, CancellationToken cancellationToken)
    {
        var names = await ListNamesAsync(cancellationToken).ConfigureAwait(false);
        var known = names.Count == 0 ? "There are no contexts besides 'default'." : $"The contexts are: default, {string.Join(", ", names)}.";
        return new BuildKitException(
            NotFoundId, BuildKitErrorCategory.NotFound, $"There is no docker context '{name}' in '{_directory}'.",
            $"{known} Give one of them, or an address such as unix:///run/docker.sock or tcp://127.0.0.1:1234.")
        {
            Target = name,
        };
    }

    private static BuildKitException Invalid(string path, string why, Exception? inner) => new(
        "BuildKit.DockerContextInvalid", BuildKitErrorCategory.InvalidArgument, $"The docker context file '{path}' is malformed: {why}.",
        "Create the context anew (docker context rm, docker context create).", inner)
    {
        Target = path,
    };
}
