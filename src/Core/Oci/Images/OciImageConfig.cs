namespace BuildKit.Oci.Images;

/// <summary>The configuration of an image (OCI image-spec, config.md; docker's has further fields).</summary>
public sealed record OciImageConfig
{
    /// <summary>Its digest.</summary>
    public required string Digest { get; init; }

    /// <summary>When the image was made.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>By whom.</summary>
    public string? Author { get; init; }

    /// <summary>The environment, each as <c>NAME=VALUE</c>.</summary>
    public IReadOnlyList<string> Env { get; init; } = new List<string>();

    /// <summary>What is run, before the arguments.</summary>
    public IReadOnlyList<string> Entrypoint { get; init; } = new List<string>();

    /// <summary>The arguments, or what is run where there is no entrypoint.</summary>
    public IReadOnlyList<string> Cmd { get; init; } = new List<string>();

    /// <summary>Where it is run.</summary>
    public string? WorkingDir { get; init; }

    /// <summary>By which user.</summary>
    public string? User { get; init; }

    /// <summary>Its labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>The ports on which it listens, such as <c>80/tcp</c>.</summary>
    public IReadOnlyList<string> ExposedPorts { get; init; } = new List<string>();

    /// <summary>The directories whose content is not to be kept in a container.</summary>
    public IReadOnlyList<string> Volumes { get; init; } = new List<string>();

    /// <summary>The signal that stops it; null for the usual one.</summary>
    public string? StopSignal { get; init; }

    /// <summary>What <c>RUN</c> and the like are passed to; empty for the system's usual shell. Docker's own field.</summary>
    public IReadOnlyList<string> Shell { get; init; } = new List<string>();

    /// <summary>What is done when an image is based on this one. Docker's own field.</summary>
    public IReadOnlyList<string> OnBuild { get; init; } = new List<string>();

    /// <summary>How it is found out whether it is well, such as <c>CMD-SHELL</c> and a command. Docker's own field.</summary>
    public IReadOnlyList<string> Healthcheck { get; init; } = new List<string>();

    /// <summary>The configuration as it is written, all of it.</summary>
    public required string Json { get; init; }

    /// <summary>The digest.</summary>
    public override string ToString() => Digest;
}
