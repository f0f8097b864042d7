using BuildKit.Solve.Planning;

namespace BuildKit.Solve;

/// <summary>What buildx's own variables say about a build's metadata (docker/buildx util/confutil).</summary>
/// <param name="Provenance">How much of the provenance the file gets.</param>
/// <param name="Warnings">Whether the file gets the warnings.</param>
internal readonly record struct MetadataSettings(MetadataProvenance Provenance, bool Warnings)
{
    private const string ProvenanceVariable = "BUILDX_METADATA_PROVENANCE";
    private const string WarningsVariable = "BUILDX_METADATA_WARNINGS";

    /// <summary>Reads the environment. What means nothing is taken for the default, as buildx does.</summary>
    public static MetadataSettings Read() => Read(Environment.GetEnvironmentVariable);

    public static MetadataSettings Read(Func<string, string?> variable) => new(
        variable(ProvenanceVariable) switch
        {
            "max" => MetadataProvenance.Max,
            "disabled" => MetadataProvenance.None,
            var other => GoBoolean.Parse(other) == false ? MetadataProvenance.None : MetadataProvenance.Min,
        },
        GoBoolean.Parse(variable(WarningsVariable)) == true);
}

/// <summary>How much of the provenance a metadata file gets.</summary>
internal enum MetadataProvenance
{
    /// <summary>The steps and the times are left out.</summary>
    Min,

    /// <summary>All of it.</summary>
    Max,

    /// <summary>None, and it is not read from the daemon either.</summary>
    None,
}
