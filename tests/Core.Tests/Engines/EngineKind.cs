namespace BuildKit.Tests.Engines;

/// <summary>What <c>tests/engines/engines up</c> can start.</summary>
public enum EngineKind
{
    /// <summary>Docker Engine 28.5 with its own image store.</summary>
    Docker28Graphdriver,

    /// <summary>Docker Engine 28.5 with containerd's image store.</summary>
    Docker28Containerd,

    /// <summary>Docker Engine 26.1 with its own image store.</summary>
    Docker26,

    /// <summary>Docker Engine 26.1 with containerd's image store.</summary>
    Docker26Containerd,

    /// <summary>Docker Engine 20.10: the oldest that is supported.</summary>
    Docker20,

    /// <summary>buildkitd 0.25 behind a unix socket.</summary>
    BuildkitdUnix,

    /// <summary>buildkitd 0.25 behind TCP, with client certificates.</summary>
    BuildkitdTls,

    /// <summary>A registry on the loopback interface, plain HTTP, no credentials.</summary>
    Registry,

    /// <summary>The same with basic authentication, for <see cref="RegistryAccount.Writer"/> and <see cref="RegistryAccount.Reader"/>; both may push.</summary>
    RegistryBasic,

    /// <summary>The same with bearer tokens: <see cref="RegistryAccount.Reader"/> may pull only, nobody may pull from <c>public/</c>.</summary>
    RegistryToken,
}
