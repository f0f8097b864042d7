using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace BuildKit.Docker;

/// <content>Pushing.</content>
internal sealed partial class ImageOperations
{
    /// <summary>
    /// <c>POST /images/{name}/push</c>: has the Engine push an image of its store. The answer is 200 before the registry was asked anything; the stream is read to its end,
    /// an error in it is an error here, and an end without the digest of what was pushed is one too.
    /// </summary>
    /// <param name="reference">The image's name with its tag.</param>
    /// <param name="auth">The registry's credentials; an empty set for none.</param>
    /// <param name="progress">Told of every message of the Engine but the errors, in order, before the next is read; or null.</param>
    /// <param name="cancellationToken">Ends the push on the Engine too.</param>
    /// <returns>The digest of the manifest in the registry, <c>sha256:…</c>.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.RegistryDenied</c>, <c>BuildKit.ImagePushFailed</c>, or the connection to the Engine broke.</exception>
    public async Task<string> PushImageAsync(string reference, DockerAuthConfig auth, IProgress<JSONMessage>? progress, CancellationToken cancellationToken)
    {
        var name = ImageReference.Normalize(reference);
        var colon = name.LastIndexOf(':');
        var host = ImageReference.Host(name);
        string? digest = null;
        try
        {
            using var response = await client.PostAsync(
                $"images/{name[..colon]}/push?tag={name[(colon + 1)..]}", RegistryAuthJson.Header, RegistryAuthJson.Encode(CredentialStore.KeyOf(host), auth),
                cancellationToken)
                .ConfigureAwait(false);
            using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
            string? error = null;
            while (await lines.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
            {
                if (line.Length == 0)
                    continue;
                var message = JsonSerializer.Deserialize(line, DockerJson.Default.JSONMessage)!;
                if ((message.ErrorDetail?.Message ?? message.Error) is { } text)
                {
                    error ??= text;
                    continue;
                }
                progress?.Report(message);
                digest = message.Aux?.Digest ?? DigestIn(message.Status) ?? digest;
            }
            if (error is not null)
                throw PushFailed(name, host, auth, HttpStatusCode.OK, error, null);
        }
        catch (DockerApiException exception) when (exception.ErrorId is not ("BuildKit.ImagePushFailed" or "BuildKit.RegistryDenied" or "BuildKit.EngineAccessDenied"))
        {
            throw PushFailed(name, host, auth, exception.StatusCode, exception.Message, exception);
        }
        catch (JsonException exception)
        {
            throw PushFailed(name, host, auth, HttpStatusCode.OK, "the Engine's answer is not the JSON that was expected", exception);
        }
        catch (IOException exception)
        {
            throw client.ConnectionLost(exception);
        }
        return digest ?? throw PushFailed(name, host, auth, HttpStatusCode.OK, "the Engine ended without saying that the image was pushed", null);
    }

    // The containerd store says it in words alone.
    private static string? DigestIn(string? status) => status is not null && PushedDigest().Match(status) is { Success: true } match ? match.Groups[1].Value : null;

    private static DockerApiException PushFailed(string name, string host, DockerAuthConfig auth, HttpStatusCode statusCode, string message, Exception? inner)
    {
        var isDenied = Denied().IsMatch(message);
        var words = string.Join("; ", message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(line => line != "errors:"));
        // A registry's answer may quote what it was sent.
        foreach (var secret in (ReadOnlySpan<string?>)[auth.Password, auth.IdentityToken, auth.RegistryToken])
        {
            if (!string.IsNullOrEmpty(secret) && words.Contains(secret, StringComparison.Ordinal))
                (words, inner) = (words.Replace(secret, "***", StringComparison.Ordinal), null);
        }
        return new DockerApiException(
            isDenied ? "BuildKit.RegistryDenied" : "BuildKit.ImagePushFailed",
            isDenied ? BuildKitErrorCategory.PermissionDenied : BuildKitErrorCategory.InputOutput,
            statusCode,
            isDenied ? $"The registry '{host}' refused to take '{name}' from the Docker Engine: {words}" : $"The Docker Engine could not push '{name}': {words}",
            isDenied
                ? $"Check that your account may push to this repository, or log in {(auth.IsEmpty ? "first" : "again")}: docker login {host}"
                : "The image is in the Engine's store. Check the name, and that the Engine reaches the registry, and build again: finished steps are cached.",
            inner)
        {
            Target = name,
        };
    }

    [GeneratedRegex(@"\bdigest: (sha256:[0-9a-f]{64})\b")]
    private static partial Regex PushedDigest();

    // The words of distribution's error codes (registry/api/errcode), of the Engine without credentials, and of containerd's resolver.
    [GeneratedRegex(@"\bdenied\b|\bunauthorized\b|authentication required|no basic auth credentials|authorization failed|403 Forbidden", RegexOptions.IgnoreCase)]
    private static partial Regex Denied();
}
