namespace BuildKit.Solve.Planning;

/// <summary>What buildx's own variables say about git.</summary>
/// <param name="Info">Whether the provenance gets what git knows (<c>BUILDX_GIT_INFO</c>, on unless it says otherwise).</param>
/// <param name="Labels">Whether the image's labels get it too (<c>BUILDX_GIT_LABELS</c>: a truth, or <c>full</c> as it was once called).</param>
/// <param name="CheckDirty">Whether a revision with changes in the work tree is marked (<c>BUILDX_GIT_CHECK_DIRTY</c>), which takes a look at every file.</param>
internal readonly record struct GitSettings(bool Info, bool Labels, bool CheckDirty)
{
    /// <summary>Reads the environment.</summary>
    public static GitSettings Read() => Read(Environment.GetEnvironmentVariable);

    public static GitSettings Read(Func<string, string?> variable) => new(
        GoBoolean.Parse(variable("BUILDX_GIT_INFO")) ?? true, variable("BUILDX_GIT_LABELS") is var labels && (labels == "full" || GoBoolean.Parse(labels) == true),
        GoBoolean.Parse(variable("BUILDX_GIT_CHECK_DIRTY")) == true);
}
