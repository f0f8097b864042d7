using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using BuildKit.Solve.Provenance;

namespace BuildKit.Oci.Images;

/// <summary>Reads the statements of attestation manifests (moby/buildkit docs/attestations/attestation-storage.md; docker/buildx util/imagetools/loader.go).</summary>
internal static partial class OciAttestationReader
{
    // A bill of materials lists every file.
    private const int MaxStatementBytes = 128 << 20;

    private const string PredicateTypeAnnotation = "in-toto.io/predicate-type";
    private const string SpdxPredicate = "https://spdx.dev/Document";

    /// <summary>Reads the statements of one attestation manifest; what is no statement is left out.</summary>
    /// <exception cref="BuildKitException">A blob is missing or damaged.</exception>
    public static async Task<List<OciAttestation>> ReadAsync(OciContentSource source, OciDescriptor manifest, OciPlatform? platform, CancellationToken cancellationToken)
    {
        var document = await OciDocument.ReadAsync(source, manifest, cancellationToken).ConfigureAwait(false);
        var attestations = new List<OciAttestation>();
        foreach (var layer in document.Manifest?.Layers ?? [])
        {
            if (layer.MediaType != OciMediaType.InToto && !SignedStatement().IsMatch(layer.MediaType))
                continue;
            var bytes = await source.ReadBlobAsync(layer, MaxStatementBytes, cancellationToken).ConfigureAwait(false);
            try
            {
                attestations.Add(Parse(bytes, layer, manifest, platform));
            }
            catch (JsonException e)
            {
                throw OciErrors.BlobInvalid(source.Location, layer, $"it is no statement: {e.Message}");
            }
        }
        return attestations;
    }

    private static OciAttestation Parse(byte[] bytes, OciDescriptor layer, OciDescriptor manifest, OciPlatform? platform)
    {
        if (layer.MediaType != OciMediaType.InToto)
            bytes = JsonSerializer.Deserialize(bytes, OciImageJson.Default.DsseEnvelopeJson)?.Payload ?? throw new JsonException("its envelope is empty");
        var statement = JsonSerializer.Deserialize(bytes, OciImageJson.Default.InTotoStatementJson) ?? throw new JsonException("it is empty");
        var predicateType = statement.PredicateType ?? layer.Annotations.GetValueOrDefault(PredicateTypeAnnotation) ?? "";
        var json = statement.Predicate.ValueKind == JsonValueKind.Undefined ? "null" : statement.Predicate.GetRawText();
        BuildKitProvenance? provenance = null;
        if (predicateType.StartsWith(ProvenancePredicate.TypePrefix, StringComparison.Ordinal))
        {
            provenance = ProvenanceReader.Read(new ProvenancePredicate(platform?.ToString(), predicateType, Encoding.UTF8.GetBytes(json)));
            json = provenance.Json;
        }
        return new OciAttestation
        {
            PredicateType = predicateType,
            Digest = layer.Digest.ToString(),
            MediaType = layer.MediaType,
            Size = layer.Size,
            Manifest = manifest.Digest.ToString(),
            Provenance = provenance,
            Sbom = predicateType == SpdxPredicate ? ToSbom(statement.Predicate) : null,
            Json = json,
        };
    }

    private static OciSbom ToSbom(JsonElement predicate)
    {
        var document = predicate.Deserialize(OciImageJson.Default.SpdxDocumentJson) ?? throw new JsonException("its predicate is empty");
        return new OciSbom
        {
            Name = document.Name,
            SpdxVersion = document.SpdxVersion,
            Created = document.CreationInfo?.Created,
            Creators = (document.CreationInfo?.Creators ?? []).ToList(),
            Packages = (document.Packages ?? []).OfType<SpdxPackageJson>().Select(package => new OciSbomPackage(
                package.Name, Known(package.VersionInfo), Known(package.LicenseDeclared) ?? Known(package.LicenseConcluded), Known(package.Supplier),
                (package.ExternalRefs ?? []).FirstOrDefault(reference => reference?.ReferenceType == "purl")?.ReferenceLocator, package.SpdxId)).ToList(),
        };
    }

    // SPDX's own words for what is not known.
    private static string? Known(string? text) => text is null or "" or "NOASSERTION" or "NONE" ? null : text;

    [GeneratedRegex(@"^application/vnd\.in-toto\..*\+dsse$")]
    private static partial Regex SignedStatement();
}
