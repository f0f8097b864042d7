using BuildKit.Builders;
using BuildKit.Docker;
using BuildKit.Solve.Exporters;
using BuildKit.Solve.Planning;

namespace BuildKit.Solve;

/// <summary>
/// An output as it is on one daemon. A type that can be had in several ways, such as <c>docker</c> in the Engine's store or in a file, is one object a way.
/// </summary>
public sealed record BuildKitExporter
{
    /// <summary>The type in the user's words: <c>image</c>, <c>registry</c>, <c>docker</c>, <c>oci</c>, <c>local</c>, <c>tar</c>, <c>cacheonly</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What comes of it, in a few words.</summary>
    public required string Description { get; init; }

    /// <summary>What it needs on this side: nothing, a directory, a file (or the pipeline), a directory that becomes an OCI layout, or a Docker Engine beside the builder.</summary>
    public required ExporterDestination Destination { get; init; }

    /// <summary>Its name on the wire; null where nothing is exported or the daemon can't.</summary>
    public string? WireName { get; init; }

    /// <summary>Whether this kind of daemon can do it.</summary>
    public bool Supported { get; init; }

    /// <summary>Why it can't; null where it can.</summary>
    public string? Reason { get; init; }

    /// <summary>What to do instead; null where it can.</summary>
    public string? Recommendation { get; init; }

    /// <summary>Whether the result appears among a Docker Engine's images.</summary>
    public bool LoadsIntoDocker { get; init; }

    /// <summary>Whether the result can be pushed to its registry in the same go.</summary>
    public bool CanPush { get; init; }

    /// <summary>The attributes that have an effect.</summary>
    public IReadOnlyList<BuildKitExporterAttribute> Attributes { get; init; } = [];

    /// <summary>A call that uses it.</summary>
    public required string Example { get; init; }

    /// <summary>The builder's name; null where none was asked.</summary>
    public string? Builder { get; init; }

    /// <summary>Whether the daemon was seen to do it; null where it was not asked, or its answer says neither.</summary>
    public bool? Probed { get; init; }

    /// <summary>What the daemon answered where it was not seen to do it; null otherwise.</summary>
    public string? ProbeError { get; init; }

    /// <summary>The row of the table.</summary>
    internal ExporterRow Row { get; private init; } = null!;

    /// <summary>The outputs of a daemon, by what kind of daemon it is; nothing is asked of it.</summary>
    /// <param name="connection">The daemon; null for what a standalone buildkitd has, which has most.</param>
    /// <returns>The outputs, all ways of a type together.</returns>
    public static IReadOnlyList<BuildKitExporter> List(BuildKitConnection? connection) => ExporterTable.Types.SelectMany(type => List(connection, type)).ToList();

    /// <summary>The ways of one type on a daemon, by what kind of daemon it is; nothing is asked of it.</summary>
    /// <param name="connection">The daemon; null for what a standalone buildkitd has, which has most.</param>
    /// <param name="type">The type in the user's words.</param>
    /// <returns>One output a way.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.OutputUnknown</c>.</exception>
    public static IReadOnlyList<BuildKitExporter> List(BuildKitConnection? connection, string type)
    {
        ArgumentNullException.ThrowIfNull(type);
        var daemon = connection is null ? DaemonStore.Buildkitd : SolveDaemon.Of(connection, new DockerConfigFile { Directory = string.Empty }).Store;
        var rows = ExporterTable.Find(type, daemon).ToList();
        return rows.Count > 0 ? rows.ConvertAll(row => From(row) with { Builder = connection?.Name }) : throw OutputErrors.Unknown(type);
    }

    private static BuildKitExporter From(ExporterRow row) => new()
    {
        Name = row.Type,
        Description = ExporterExamples.Find(row).Description,
        Destination = row.Destination,
        WireName = row.WireName,
        Supported = row.Supported,
        Reason = row.Reason,
        Recommendation = row.WayOut,
        LoadsIntoDocker = row.LoadsIntoEngine,
        CanPush = row.Push != ExporterPush.None,
        Attributes = ExporterAttributeTable.Of(row.Format).Select(BuildKitExporterAttribute.From).ToList(),
        Example = ExporterExamples.Find(row).Call,
        Row = row,
    };
}
