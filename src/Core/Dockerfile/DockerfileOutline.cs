namespace BuildKit.Dockerfile;

/// <summary>What a stage of a Dockerfile takes from outside, its base stages included (moby/buildkit frontend/subrequests/outline).</summary>
public sealed record DockerfileOutline
{
    /// <summary>The stage's name; empty where it has none.</summary>
    public string Name { get; init; } = string.Empty;

    /// <summary>The comment above its <c>FROM</c> that begins with the stage's name, without that name; empty where there is none.</summary>
    public string Description { get; init; } = string.Empty;

    /// <summary>The <c>ARG</c>s it uses, by line.</summary>
    public IReadOnlyList<DockerfileOutlineArg> Args { get; init; } = [];

    /// <summary>The secrets its steps mount, by line.</summary>
    public IReadOnlyList<DockerfileOutlineMount> Secrets { get; init; } = [];

    /// <summary>The SSH agents its steps mount, by line.</summary>
    public IReadOnlyList<DockerfileOutlineMount> Ssh { get; init; } = [];

    /// <summary>The cache mounts of its steps, where the frontend lists them; the frontends until Dockerfile 1.19 don't.</summary>
    public IReadOnlyList<DockerfileOutlineMount> Caches { get; init; } = [];

    /// <summary>The Dockerfile: its absolute path where it was read on this side, otherwise the frontend's name for it.</summary>
    public string File { get; init; } = string.Empty;
}

/// <summary>A build argument that a stage uses.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">The value it has in this build, given or default; null where it has none.</param>
/// <param name="Description">The comment above its <c>ARG</c> that begins with its name, without that name; empty where there is none.</param>
/// <param name="File">The Dockerfile, as in <see cref="DockerfileOutline.File"/>.</param>
/// <param name="Line">The line of its <c>ARG</c>, 1-based; null where the frontend does not say.</param>
public sealed record DockerfileOutlineArg(string Name, string? Value, string Description, string File, int? Line);

/// <summary>A secret, an SSH agent or a cache that a step of a stage mounts.</summary>
/// <param name="Name">Its id.</param>
/// <param name="Required">Whether the step fails without it.</param>
/// <param name="File">The Dockerfile, as in <see cref="DockerfileOutline.File"/>.</param>
/// <param name="Line">The line of the step, 1-based; null where the frontend does not say.</param>
public sealed record DockerfileOutlineMount(string Name, bool Required, string File, int? Line);
