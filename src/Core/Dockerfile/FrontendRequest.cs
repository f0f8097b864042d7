namespace BuildKit.Dockerfile;

/// <summary>A question that a frontend may know how to answer without a build (moby/buildkit frontend/subrequests).</summary>
/// <param name="Id">Its <c>requestid</c>.</param>
/// <param name="Subject">What is asked for, in words.</param>
/// <param name="Since">The first daemons whose own Dockerfile frontend answers.</param>
internal sealed record FrontendRequest(string Id, string Subject, string Since)
{
    public static FrontendRequest Lint { get; } = new("frontend.lint", "the Dockerfile's checks", "Docker Engine 27 or BuildKit 0.14");

    public static FrontendRequest Targets { get; } = new("frontend.targets", "the Dockerfile's targets", "Docker Engine 24 or BuildKit 0.11");

    public static FrontendRequest Outline { get; } = new("frontend.outline", "the Dockerfile's outline", "Docker Engine 24 or BuildKit 0.11");
}
