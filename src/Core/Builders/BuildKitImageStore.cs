namespace BuildKit.Builders;

/// <summary>Where the images go that a build leaves with the daemon.</summary>
public enum BuildKitImageStore
{
    /// <summary>The daemon keeps no images: a standalone buildkitd.</summary>
    None,

    /// <summary>The Engine's classic store of a graph driver.</summary>
    Graphdriver,

    /// <summary>The Engine's containerd store, which holds indexes, several platforms and attestations.</summary>
    Containerd,
}
