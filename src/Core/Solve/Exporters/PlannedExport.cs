using BuildKit.Builders;

namespace BuildKit.Solve.Exporters;

/// <summary>An output as it goes over the wire.</summary>
/// <param name="Type">The exporter in the user's words.</param>
/// <param name="WireName">Its name on the wire; null where nothing is exported.</param>
/// <param name="Attributes">Its attributes on the wire.</param>
/// <param name="DestinationKind">What it needs on this side.</param>
/// <param name="Destination">The absolute path on this side; null where it needs none.</param>
internal sealed record PlannedExport(
    string Type, string? WireName, IReadOnlyDictionary<string, string> Attributes, ExporterDestination DestinationKind, string? Destination)
{
    /// <summary>Takes the bytes in place of a file; null for none.</summary>
    public Stream? Stream { get; init; }

    /// <summary>The Docker Engine that loads the bytes; null for none.</summary>
    public BuildKitConnection? Engine { get; init; }
}
