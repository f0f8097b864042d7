namespace BuildKit.Dockerfile;

/// <summary>A stage of a Dockerfile (moby/buildkit frontend/subrequests/targets).</summary>
public sealed record DockerfileTarget
{
    /// <summary>The stage's name in lower case, as <c>-Target</c> takes it; empty where it has none.</summary>
    public string Name { get; init; } = string.Empty;

    /// <summary>Whether it is what is built where no stage is named: the last one.</summary>
    public bool Default { get; init; }

    /// <summary>The comment above its <c>FROM</c> that begins with the stage's name, without that name; empty where there is none.</summary>
    public string Description { get; init; } = string.Empty;

    /// <summary>What it is based on, as the Dockerfile has it: an image, a stage, or a variable.</summary>
    public string Base { get; init; } = string.Empty;

    /// <summary>Its <c>--platform</c> as the Dockerfile has it, or null.</summary>
    public string? Platform { get; init; }

    /// <summary>The Dockerfile: its absolute path where it was read on this side, otherwise the frontend's name for it.</summary>
    public string File { get; init; } = string.Empty;

    /// <summary>The line of its <c>FROM</c>, 1-based; null where the frontend does not say.</summary>
    public int? Line { get; init; }
}
