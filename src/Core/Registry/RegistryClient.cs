using System.Net;
using BuildKit.Oci;

namespace BuildKit.Registry;

/// <summary>One repository of a registry (OCI distribution-spec 1.1, and docker's registry API before it). To be had from <see cref="RegistryClients"/>.</summary>
/// <param name="connection">The registry.</param>
/// <param name="repository">The repository, without the registry: <c>library/app</c>.</param>
internal sealed partial class RegistryClient(RegistryConnection connection, string repository)
{
    /// <summary>The most that a manifest may have (containerd's limit; the spec asks for 4 MiB at least).</summary>
    public const int MostManifestBytes = 8 * 1024 * 1024;

    // What a registry that lists referrers itself answers to one.
    private const string SubjectHeader = "OCI-Subject";

    private const string DigestHeader = "Docker-Content-Digest";

    private static readonly string[] ManifestTypes =
    [
        OciMediaType.Index, OciMediaType.Manifest, OciMediaType.DockerManifestList, OciMediaType.DockerManifest,
    ];

    // What servers say that do not look into it.
    private static readonly string[] VagueTypes = ["", "application/json", "application/octet-stream", "text/plain"];

    /// <summary>The registry as names have it, with its port.</summary>
    public string Host => connection.Host;

    /// <summary>The repository without the registry.</summary>
    public string Repository => repository;

    /// <summary>What a tag or digest leads to, without its content.</summary>
    /// <param name="tagOrDigest">A tag, or a digest such as <c>sha256:…</c>.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <returns>The descriptor, or null where there is none.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.RegistryDenied</c>, <c>BuildKit.RegistryUnreachable</c>, <c>BuildKit.RegistryFailed</c> and others of <see cref="RegistryErrors"/>.</exception>
    public async Task<OciDescriptor?> HeadManifestAsync(string tagOrDigest, CancellationToken cancellationToken)
    {
        var request = ManifestRequest(HttpMethod.Head, tagOrDigest, RegistryScope.Pull(repository)) with { Accept = ManifestTypes };
        using var response = await connection.SendAsync(request, [HttpStatusCode.OK, HttpStatusCode.NotFound], cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.NotFound)
            return null;
        var mediaType = MediaTypeOf(response);
        // All three are optional for a registry: its content says the same.
        return DigestOf(response) is { } digest && response.Content.Headers.ContentLength is { } size && !VagueTypes.Contains(mediaType)
            ? OciDescriptor.Create(mediaType, digest, size)
            : (await GetManifestAsync(tagOrDigest, cancellationToken).ConfigureAwait(false)).Descriptor;
    }

    /// <summary>Reads what a tag or digest leads to.</summary>
    /// <param name="tagOrDigest">A tag, or a digest such as <c>sha256:…</c>.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <returns>The manifest; its bytes have the digest that was asked for, and the one that the registry names.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.ManifestNotFound</c>, <c>BuildKit.DigestMismatch</c>, and those of <see cref="HeadManifestAsync"/>.</exception>
    public async Task<RegistryManifest> GetManifestAsync(string tagOrDigest, CancellationToken cancellationToken)
    {
        var request = ManifestRequest(HttpMethod.Get, tagOrDigest, RegistryScope.Pull(repository)) with { Accept = ManifestTypes };
        for (var attempt = 1; ; attempt++)
        {
            using var response = await connection.SendAsync(request, [HttpStatusCode.OK], cancellationToken).ConfigureAwait(false);
            try
            {
                var content = await RegistryBody.ReadAsync(response, MostManifestBytes, connection.Options.StallTimeout, cancellationToken).ConfigureAwait(false);
                return Check(request, response, OciDigest.TryParse(tagOrDigest, out var asked) ? asked : null, content);
            }
            catch (InvalidDataException e)
            {
                throw RegistryErrors.Malformed(connection, request.What, e.Message, e);
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                if (attempt == connection.Options.Attempts)
                    throw RegistryErrors.Malformed(connection, request.What, $"it breaks off ({e.Message.TrimEnd('.')})", e);
            }
            await Task.Delay(RegistryRetry.Pause(connection.Options, attempt), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Puts a manifest or an index. What it refers to has to be there before.</summary>
    /// <param name="tagOrDigest">The tag to give it; its digest, to give it none.</param>
    /// <param name="mediaType">Its media type.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <returns>Its descriptor.</returns>
    /// <exception cref="BuildKitException">Those of <see cref="GetManifestAsync"/>.</exception>
    public async Task<OciDescriptor> PutManifestAsync(string tagOrDigest, string mediaType, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var request = ManifestRequest(HttpMethod.Put, tagOrDigest, RegistryScope.Push(repository)) with
        {
            Content = _ => new ReadOnlyMemoryContent(content) { Headers = { ContentType = new(mediaType) } },
        };
        using var response = await connection.SendAsync(request, [HttpStatusCode.Created, HttpStatusCode.OK, HttpStatusCode.Accepted], cancellationToken).ConfigureAwait(false);
        var digest = OciDigest.Of(content.Span);
        if (DigestOf(response) is { } stored && stored != OciDigest.Of(content.Span, stored.HashAlgorithm))
            throw RegistryErrors.DigestMismatch(connection, request.What, digest, stored);
        var descriptor = OciDescriptor.Create(mediaType, digest, content.Length);
        if (!response.Headers.Contains(SubjectHeader))
            await AddToReferrersAsync(descriptor, content, cancellationToken).ConfigureAwait(false);
        return descriptor;
    }

    private RegistryRequest ManifestRequest(HttpMethod method, string tagOrDigest, IReadOnlyList<string> scopes) =>
        new(method, $"/v2/{repository}/manifests/{tagOrDigest}", scopes, $"the manifest '{tagOrDigest}' of '{repository}'");

    private RegistryManifest Check(RegistryRequest request, HttpResponseMessage response, OciDigest? asked, byte[] content)
    {
        var header = DigestOf(response);
        foreach (var expected in new[] { asked, header })
        {
            if (expected is { } digest && OciDigest.Of(content, digest.HashAlgorithm) is var actual && actual != digest)
                throw RegistryErrors.DigestMismatch(connection, request.What, digest, actual);
        }
        string? inside;
        try
        {
            inside = OciJson.Members(content).Find(member => member.Name == "mediaType") is { Name: not null } member ? member.Text() : null;
        }
        catch (FormatException e)
        {
            throw RegistryErrors.Malformed(connection, request.What, e.Message, e);
        }
        // What is inside is what the digest vouches for.
        var mediaType = string.IsNullOrEmpty(inside) ? MediaTypeOf(response) : inside;
        if (!ManifestTypes.Contains(mediaType))
            throw RegistryErrors.Malformed(connection, request.What, $"its media type is '{mediaType}'");
        return new RegistryManifest(OciDescriptor.Create(mediaType, asked ?? OciDigest.Of(content), content.Length), content);
    }

    public static OciDigest? DigestOf(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues(DigestHeader, out var values) && OciDigest.TryParse(values.ToString(), out var digest) ? digest : null;

    private static string MediaTypeOf(HttpResponseMessage response) => response.Content.Headers.ContentType?.MediaType ?? "";
}
