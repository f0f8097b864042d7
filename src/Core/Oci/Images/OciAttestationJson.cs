using System.Text.Json;

namespace BuildKit.Oci.Images;

/// <summary>A statement (in-toto attestation, spec/v1/statement.md), as far as it is used.</summary>
internal sealed record InTotoStatementJson
{
    public string? PredicateType { get; init; }

    public JsonElement Predicate { get; init; }
}

/// <summary>A signed statement (secure-systems-lab/dsse, envelope.md), as far as it is used: the signature is not checked here.</summary>
internal sealed record DsseEnvelopeJson
{
    public byte[]? Payload { get; init; }
}

/// <summary>An SPDX document (spdx-spec v2.3), as far as it is used.</summary>
internal sealed record SpdxDocumentJson
{
    public string? SpdxVersion { get; init; }

    public string? Name { get; init; }

    public SpdxCreationJson? CreationInfo { get; init; }

    public IReadOnlyList<SpdxPackageJson?>? Packages { get; init; }
}

internal sealed record SpdxCreationJson
{
    public DateTimeOffset? Created { get; init; }

    public IReadOnlyList<string>? Creators { get; init; }
}

internal sealed record SpdxPackageJson
{
    public string? Name { get; init; }

    public string? VersionInfo { get; init; }

    public string? SpdxId { get; init; }

    public string? Supplier { get; init; }

    public string? LicenseConcluded { get; init; }

    public string? LicenseDeclared { get; init; }

    public IReadOnlyList<SpdxReferenceJson?>? ExternalRefs { get; init; }
}

internal sealed record SpdxReferenceJson
{
    public string? ReferenceType { get; init; }

    public string? ReferenceLocator { get; init; }
}
