namespace BuildKit.Solve.Exporters;

/// <summary>The form of a result; it decides which attributes an exporter understands (<see cref="ExporterAttributeTable"/>).</summary>
[Flags]
internal enum ExporterFormat
{
    /// <summary>Nothing is exported.</summary>
    None = 0,

    /// <summary>An image in an Engine's classic store, by moby's own exporter, which reads little more than names.</summary>
    ClassicStore = 1,

    /// <summary>An image in an Engine's containerd store: BuildKit's image exporter, wrapped by moby.</summary>
    ContainerdStore = 2,

    /// <summary>An image by BuildKit's image exporter.</summary>
    Image = 4,

    /// <summary>An OCI archive or layout.</summary>
    Oci = 8,

    /// <summary>A docker archive or layout.</summary>
    Docker = 16,

    /// <summary>Files in a directory.</summary>
    Local = 32,

    /// <summary>Files in a tar archive.</summary>
    Tar = 64,

    /// <summary>Added to <see cref="Docker"/> where an Engine's image load takes it.</summary>
    EngineLoad = 128,
}
