using System.Net;
using System.Text.Json.Nodes;
using BuildKit.Oci;

namespace BuildKit.Registry;

/// <content>What refers to a manifest.</content>
internal sealed partial class RegistryClient
{
    // A list is longer than that only where it has no end.
    private const int MostReferrerPages = 250;
    private const int MostReferrerBytes = 4 * MostManifestBytes;

    // The spec knows 404 only; older registries and proxies say the others of a path that they do not know (go-containerregistry's remote/referrers.go).
    private static readonly HttpStatusCode[] ReferrersStatuses =
    [
        HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.BadRequest, HttpStatusCode.MethodNotAllowed, HttpStatusCode.NotAcceptable, HttpStatusCode.NotImplemented,
    ];

    /// <summary>The manifests that have a manifest for their subject (distribution-spec, «Listing Referrers»), also from a registry that does not know of such.</summary>
    /// <param name="subject">The manifest.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <returns>Their descriptors.</returns>
    /// <exception cref="BuildKitException">Those of <see cref="HeadManifestAsync"/>.</exception>
    public async Task<IReadOnlyList<OciDescriptor>> GetReferrersAsync(OciDigest subject, CancellationToken cancellationToken)
    {
        var referrers = new List<OciDescriptor>();
        var pages = new HashSet<Uri>();
        var left = MostReferrerBytes;
        for (var target = $"/v2/{repository}/referrers/{subject}"; target is not null;)
        {
            var request = new RegistryRequest(HttpMethod.Get, target, RegistryScope.Pull(repository), $"the referrers of {subject} of '{repository}'") { Accept = [OciMediaType.Index] };
            using var response = await connection.SendAsync(request, pages.Count == 0 ? ReferrersStatuses : [HttpStatusCode.OK], cancellationToken).ConfigureAwait(false);
            if (pages.Count == 0 && (response.StatusCode != HttpStatusCode.OK || MediaTypeOf(response) != OciMediaType.Index))
                return await GetTaggedReferrersAsync(subject, cancellationToken).ConfigureAwait(false);
            try
            {
                var body = await RegistryBody.ReadAsync(response, left, connection.Options.StallTimeout, cancellationToken).ConfigureAwait(false);
                left -= body.Length;
                referrers.AddRange(OciIndex.Parse(body).Manifests);
                pages.Add(response.RequestMessage!.RequestUri!);
                var next = RegistryLink.Next(response);
                if (next is not null && (pages.Contains(next) || pages.Count == MostReferrerPages))
                    throw new FormatException(pages.Contains(next) ? "it leads to one of its pages once more" : "its pages go on without end");
                target = next?.AbsoluteUri;
            }
            catch (Exception e) when (e is FormatException or InvalidDataException or IOException or HttpRequestException)
            {
                throw RegistryErrors.Malformed(connection, request.What, e.Message, e);
            }
        }
        return referrers;
    }

    /// <summary>Where a registry without a list of referrers keeps one (distribution-spec, «Referrers Tag Schema»).</summary>
    public static string ReferrersTag(OciDigest subject) => $"{subject.Algorithm}-{subject.Hex}";

    private async Task<IReadOnlyList<OciDescriptor>> GetTaggedReferrersAsync(OciDigest subject, CancellationToken cancellationToken) =>
        (await ReadReferrersTagAsync(subject, cancellationToken).ConfigureAwait(false)).Manifests;

    private async Task<OciIndex> ReadReferrersTagAsync(OciDigest subject, CancellationToken cancellationToken)
    {
        var tag = ReferrersTag(subject);
        if (await HeadManifestAsync(tag, cancellationToken).ConfigureAwait(false) is null)
            return OciIndex.CreateEmpty();
        var list = await GetManifestAsync(tag, cancellationToken).ConfigureAwait(false);
        try
        {
            return OciIndex.Parse(list.Content);
        }
        catch (FormatException e)
        {
            throw RegistryErrors.Malformed(connection, $"the manifest '{tag}' of '{repository}'", e.Message, e);
        }
    }

    /// <summary>Adds a manifest to the list of its subject's referrers, where the registry does not do so itself.</summary>
    private async Task AddToReferrersAsync(OciDescriptor manifest, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var document = OciDocument.Parse(content.ToArray(), manifest.MediaType);
        if (document.Subject is not { } subject)
            return;
        var index = await ReadReferrersTagAsync(subject.Digest, cancellationToken).ConfigureAwait(false);
        if (index.Manifests.Any(entry => entry.Digest == manifest.Digest))
            return;
        index.Replace([.. index.Manifests, Describe(manifest, document)]);
        await PutManifestAsync(ReferrersTag(subject.Digest), OciMediaType.Index, index.ToBytes(), cancellationToken).ConfigureAwait(false);
    }

    // distribution-spec, «Listing Referrers»: an image's type is that of its configuration.
    private static OciDescriptor Describe(OciDescriptor manifest, OciDocument document)
    {
        var json = new JsonObject { ["mediaType"] = manifest.MediaType, ["digest"] = manifest.Digest.ToString(), ["size"] = manifest.Size };
        if ((document.Manifest?.Annotations ?? document.Index?.Annotations) is { Count: > 0 } annotations)
            json["annotations"] = new JsonObject(annotations.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
        if ((document.ArtifactType ?? document.Manifest?.Config?.MediaType) is { } artifactType)
            json["artifactType"] = artifactType;
        return OciDescriptor.Parse(OciJson.ToBytes(json));
    }
}
