namespace BuildKit.Solve.Planning;

/// <summary>The platforms to build for, in the form that daemons compare (docker/buildx util/platformutil).</summary>
internal static class PlatformPlanner
{
    private const string DefaultVariable = "DOCKER_DEFAULT_PLATFORM";

    /// <summary>The request with its platforms, or those of <c>$DOCKER_DEFAULT_PLATFORM</c>, normalised and each once.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidPlatform</c>.</exception>
    public static SolveRequest Normalize(SolveRequest request, SolveDaemon daemon)
    {
        IReadOnlyList<string> asked = request.Platforms;
        if (asked.Count == 0 && daemon.Variable(DefaultVariable) is { Length: > 0 } variable)
            asked = [variable];
        if (asked.Count == 0)
            return request;
        var defaultOS = DefaultOS(daemon);
        return request with
        {
            Platforms = PlatformSpecifier.ParseMany(asked, defaultOS).ConvertAll(platform => platform.ToString()),
        };
    }

    /// <summary>The builder's system. buildx takes this side's instead, so that <c>arm64</c> means <c>windows/arm64</c> on Windows.</summary>
    public static string DefaultOS(SolveDaemon daemon) =>
        daemon.Workers.SelectMany(worker => worker.Platforms).FirstOrDefault() is { } own ? own.Split('/', '(')[0] : "linux";
}
