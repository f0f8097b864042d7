namespace BuildKit.Solve.Exporters;

/// <summary>What an output needs on this side.</summary>
public enum ExporterDestination
{
    /// <summary>The daemon keeps the result.</summary>
    None,

    /// <summary>A directory that the daemon's files are written to.</summary>
    Directory,

    /// <summary>A file, or a stream, that the daemon's bytes are written to.</summary>
    File,

    /// <summary>A directory that becomes an OCI layout, written through the session's content service (<c>tar=false</c>).</summary>
    Layout,

    /// <summary>A Docker Engine beside the builder, whose image load takes the daemon's bytes.</summary>
    Engine,
}
