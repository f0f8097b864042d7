namespace BuildKit.Docker;

/// <summary>When an image is pulled that the Engine may have already.</summary>
public enum ImagePullPolicy
{
    /// <summary>Only where the Engine has none of that name.</summary>
    Missing,

    /// <summary>Always; a local image does not help where the pull fails.</summary>
    Always,

    /// <summary>Never; without a local image it is an error.</summary>
    Never,

    /// <summary>Always, but where the pull fails, for whatever reason, a local image is taken, with a warning (docker/buildx driver/docker-container).</summary>
    Newer,
}
