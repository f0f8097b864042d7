namespace BuildKit.Oci.Copying;

/// <summary>Where an image can be.</summary>
public enum OciTransport
{
    /// <summary>A directory in the OCI image layout.</summary>
    OciLayout,

    /// <summary>A tar archive of such a directory.</summary>
    OciArchive,

    /// <summary>A tar archive as <c>docker save</c> writes it and <c>docker load</c> reads it.</summary>
    DockerArchive,

    /// <summary>A registry.</summary>
    Registry,

    /// <summary>The images of a Docker Engine.</summary>
    DockerDaemon,
}
