using System.Net;
using System.Text.RegularExpressions;

namespace BuildKit.Docker;

/// <content>Pulling.</content>
internal sealed partial class ImageOperations
{
    /// <summary>
    /// <c>POST /images/create</c>: has the Engine pull an image. The answer is 200 before a blob was fetched; the stream is read to its end, an error in it is an error here,
    /// and an end without the digest and the final word that the Engine has the image is one too.
    /// </summary>
    /// <param name="subject">The image, with the registry's credentials.</param>
    /// <param name="platform">The platform to pull; null for the Engine's own.</param>
    /// <param name="progress">Told of every message of the Engine but the errors, in order, before the next is read; or null.</param>
    /// <param name="cancellationToken">Ends the pull on the Engine too.</param>
    /// <returns>The digest of what the name leads to in the registry, a manifest or an index, <c>sha256:…</c>.</returns>
    /// <exception cref="BuildKitException">A row of <see cref="PullErrorTable"/>, or the connection to the Engine broke.</exception>
    public async Task<string> CreateImageAsync(PullSubject subject, PlatformSpecifier? platform, IProgress<JSONMessage>? progress, CancellationToken cancellationToken)
    {
        var reference = subject.Reference;
        // As the docker CLI does: the containerd store makes a third name of a tag with a digest.
        var query = $"fromImage={Uri.EscapeDataString(reference.Repository)}&tag={Uri.EscapeDataString(reference.Digest ?? reference.Tag!)}"
            + (platform is null ? "" : $"&platform={Uri.EscapeDataString(platform.ToString())}");
        string? error = null, digest = null;
        var isThere = false;
        try
        {
            using var response = await client.PostAsync($"images/create?{query}", RegistryAuthJson.Header, AuthHeader(subject), cancellationToken).ConfigureAwait(false);
            await foreach (var message in JSONMessageStream.ReadAsync(client, response, cancellationToken).ConfigureAwait(false))
            {
                if (message.Failure is { } text)
                {
                    error ??= text;
                    continue;
                }
                progress?.Report(message);
                digest = PulledDigest().Match(message.Status ?? "") is { Success: true } match ? match.Groups[1].Value : digest;
                isThere |= ImageIsThere().IsMatch(message.Status ?? "");
            }
        }
        catch (DockerApiException exception)
        {
            throw PullErrorTable.Create(subject, exception.StatusCode, exception.Message, exception);
        }
        if (error is not null)
            throw PullErrorTable.Create(subject, HttpStatusCode.OK, error, null);
        return isThere && digest is not null ? digest
            : throw PullErrorTable.Create(subject, HttpStatusCode.OK, "the Engine's answer ended without saying that the image is there", null);
    }

    /// <summary><c>GET /distribution/{name}/json</c>: has the Engine ask the registry for what it has under a name.</summary>
    /// <exception cref="BuildKitException">The registry does not tell, or the connection to the Engine broke.</exception>
    public Task<DistributionInspectResponse> InspectDistributionAsync(PullSubject subject, CancellationToken cancellationToken) =>
        client.GetAsync(
            $"distribution/{EscapePath(subject.Reference.Exact)}/json", RegistryAuthJson.Header, AuthHeader(subject), DockerJson.Default.DistributionInspectResponse, cancellationToken);

    private static string AuthHeader(PullSubject subject) => RegistryAuthJson.Encode(CredentialStore.KeyOf(subject.Registry), subject.Auth);

    // moby daemon/internal/distribution/pull_v2.go and daemon/containerd/image_pull.go write these lines.
    [GeneratedRegex("^Digest: ([a-z0-9]+:[0-9a-f]{32,})$")]
    private static partial Regex PulledDigest();

    [GeneratedRegex("^Status: (Downloaded newer image|Image is up to date) for ")]
    private static partial Regex ImageIsThere();
}
