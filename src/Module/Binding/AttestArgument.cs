using System.Collections;
using System.Management.Automation;
using BuildKit.Solve;

namespace BuildKit.Module.Binding;

/// <summary>Reads <c>-Attest</c>, <c>-Provenance</c> and <c>-Sbom</c>: strings as docker users write them, hashtables, booleans and <see cref="SolveAttestation"/>s.</summary>
internal static class AttestArgument
{
    /// <summary>Reads all values; of two for one type the library takes the first.</summary>
    /// <param name="values">What was bound to <c>-Attest</c>.</param>
    /// <param name="provenance">What was bound to <c>-Provenance</c>.</param>
    /// <param name="sbom">What was bound to <c>-Sbom</c>.</param>
    /// <returns>The attestations, in order.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidAttestation</c>.</exception>
    public static List<SolveAttestation> Read(IEnumerable<object?> values, object? provenance, object? sbom)
    {
        var attestations = SpecPieces.Join(values).ConvertAll(Read);
        if (provenance is not null)
            attestations.Add(ReadShorthand("provenance", provenance));
        if (sbom is not null)
            attestations.Add(ReadShorthand("sbom", sbom));
        return attestations;
    }

    private static SolveAttestation Read(object? item) => item switch
    {
        SolveAttestation attestation => attestation,
        IDictionary table => FromPairs(StringTable.Read(table)),
        List<string> fields => FromPairs(Pairs(fields)),
        _ => throw Invalid($"'{item}' is no attestation."),
    };

    private static SolveAttestation ReadShorthand(string type, object value)
    {
        switch (PSValue.Unwrap(value))
        {
            case bool wanted:
                return new SolveAttestation { Type = type, Disabled = !wanted };
            case IDictionary table:
                return FromPairs(With(type, StringTable.Read(table)));
            // What PowerShell makes of an unquoted mode=max,inline-only=true.
            case IEnumerable several and not string:
                return FromPairs(With(type, Pairs(several.Cast<object?>().SelectMany(piece => CsvFields.Split(piece?.ToString() ?? "")))));
            case var text:
                return GoBoolean.Parse(text?.ToString()) is { } flag
                    ? new SolveAttestation { Type = type, Disabled = !flag }
                    : FromPairs(With(type, Pairs(CsvFields.Split(text?.ToString() ?? ""))));
        }
    }

    private static Dictionary<string, string> With(string type, Dictionary<string, string> pairs)
    {
        pairs["type"] = type;
        return pairs;
    }

    private static Dictionary<string, string> Pairs(IEnumerable<string> fields) =>
        SpecPieces.ToPairs(fields, field => Invalid($"'{field}' in an attestation is not of the form name=value."));

    private static SolveAttestation FromPairs(Dictionary<string, string> pairs)
    {
        string? type = null;
        var isDisabled = false;
        var attributes = new Dictionary<string, string>();
        foreach (var (name, value) in pairs)
        {
            if (name.Equals("type", StringComparison.OrdinalIgnoreCase))
                type = value;
            else if (name.Equals("disabled", StringComparison.OrdinalIgnoreCase))
                isDisabled = GoBoolean.Parse(value) ?? throw Invalid($"disabled={value} in an attestation is neither true nor false.");
            else
                attributes[name] = value;
        }
        return string.IsNullOrEmpty(type)
            ? throw Invalid("An attestation has no type.")
            : new SolveAttestation { Type = type.ToLowerInvariant(), Disabled = isDisabled, Attributes = attributes };
    }

    private static BuildKitException Invalid(string message) =>
        new("BuildKit.InvalidAttestation", BuildKitErrorCategory.InvalidArgument, message,
            "Write it like -Attest 'type=provenance,mode=max', -Attest @{ type = 'sbom'; generator = 'IMAGE' }, -Provenance mode=max, -Sbom $true.");
}
