using BuildKit.Solve;

namespace BuildKit.Dockerfile;

/// <summary>What the frontend's checks say of a Dockerfile (<c>docker buildx build --check</c>).</summary>
/// <param name="Warnings">What the rules found, by line. A Dockerfile that can't be built has only what was found before that became clear.</param>
/// <param name="Error">
/// Why it can't be built, or null: it does not parse, a base image can't be found, or it says <c># check=error=true</c> and a rule found something
/// (<c>BuildKit.DockerfileCheckFailed</c>).
/// </param>
public sealed record DockerfileLint(IReadOnlyList<DockerfileLintWarning> Warnings, SolveFailedException? Error)
{
    /// <summary>Whether nothing was found; buildx exits with 1 otherwise.</summary>
    public bool Passed => Warnings.Count == 0 && Error is null;
}
