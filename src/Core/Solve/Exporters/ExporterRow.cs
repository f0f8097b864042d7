namespace BuildKit.Solve.Exporters;

/// <summary>One exporter on one kind of daemon: a cell of <see cref="ExporterTable"/>.</summary>
/// <param name="Type">The exporter in the user's words.</param>
/// <param name="Destination">What it needs on this side; the same type can have a row with a destination and one without.</param>
/// <param name="WireName">Its name on the wire; null where nothing is exported or the daemon can't.</param>
/// <param name="Format">The form of the result.</param>
internal sealed record ExporterRow(string Type, ExporterDestination Destination, string? WireName, ExporterFormat Format)
{
    private const ExporterFormat Images =
        ExporterFormat.ClassicStore | ExporterFormat.ContainerdStore | ExporterFormat.Image | ExporterFormat.Oci | ExporterFormat.Docker;

    /// <summary>The kind of daemon.</summary>
    public DaemonStore Daemon { get; init; }

    /// <summary>Attributes added unless the user set them.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>Who pushes, where it is asked for.</summary>
    public ExporterPush Push { get; init; }

    /// <summary>Whether it pushes without being asked.</summary>
    public bool AlwaysPushes { get; init; }

    /// <summary>Whether its format has no index, so that neither several platforms nor attestations fit in.</summary>
    public bool HoldsOneImage { get; init; }

    /// <summary>Why the daemon can't do this; null where it can.</summary>
    public string? Reason { get; init; }

    /// <summary>What to do instead, in the module's words; null where it can.</summary>
    public string? WayOut { get; init; }

    public bool Supported => Reason is null;

    /// <summary>Whether tags become the attribute <c>name</c>.</summary>
    public bool TakesName => (Format & Images) != 0;

    /// <summary>Whether the result appears among an Engine's images.</summary>
    public bool LoadsIntoEngine => (Format & (ExporterFormat.ClassicStore | ExporterFormat.ContainerdStore | ExporterFormat.EngineLoad)) != 0;
}
