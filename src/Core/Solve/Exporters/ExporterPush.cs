namespace BuildKit.Solve.Exporters;

/// <summary>Who pushes an image to its registry.</summary>
internal enum ExporterPush
{
    /// <summary>Nobody: the result is no image, or is not kept where it could be pushed from.</summary>
    None,

    /// <summary>The exporter, while it exports.</summary>
    ByExporter,

    /// <summary>The Engine, told by its own API after the build: moby's exporter for the classic store can't push.</summary>
    ByEngine,
}
