using System.Globalization;

namespace BuildKit.Solve.Planning;

/// <summary>How to build: options of <c>dockerfile.v0</c> (moby/buildkit frontend/dockerui, docker/buildx build/opt.go).</summary>
internal static class FrontendOptions
{
    /// <summary>Adds them.</summary>
    /// <exception cref="BuildKitException">An option that can't be right, or that the daemon can't do.</exception>
    public static void AddTo(SolvePlan plan, SolveRequest request, SolveDaemon daemon)
    {
        var attributes = plan.FrontendAttributes;
        FrontendImage.AddTo(plan, request);
        foreach (var (key, value) in BuildArguments(request, daemon))
            attributes[$"build-arg:{key}"] = value;
        foreach (var (key, value) in request.Labels)
            attributes[$"label:{key}"] = value;
        if (GoBoolean.Parse(request.BuildArgs.GetValueOrDefault("BUILDKIT_MULTI_PLATFORM")) == true)
            attributes["multi-platform"] = "true";
        if (request.Platforms.Count > 0)
            attributes["platform"] = string.Join(',', request.Platforms);
        if (request.Pull)
            attributes["image-resolve-mode"] = "pull";
        else if (daemon.IsEngine)
            attributes["image-resolve-mode"] = "local";
        AddNoCache(attributes, request);
        Set(attributes, "target", request.Target);
        Set(attributes, "cgroup-parent", request.CgroupParent);
        Set(attributes, "add-hosts", ExtraHosts.Format(request.AddHosts, daemon));
        Set(attributes, "ulimit", Ulimits.Format(request.Ulimits));
        Set(attributes, "shm-size", ShmSize(request.ShmSize));
        Entitlements.AddTo(plan, request);
        AttestationPlanner.AddTo(plan, request, daemon);
        OldDaemonOptions.Warn(plan, request, daemon);
    }

    private static Dictionary<string, string> BuildArguments(SolveRequest request, SolveDaemon daemon)
    {
        var buildArgs = new Dictionary<string, string>(request.BuildArgs);
        SourceDateEpoch.AddTo(buildArgs, request, daemon);
        ProxyArguments.AddTo(buildArgs, daemon);
        return buildArgs;
    }

    private static void AddNoCache(Dictionary<string, string> attributes, SolveRequest request)
    {
        if (request.NoCache && request.NoCacheFilter.Count > 0)
            throw new BuildKitException(
                "BuildKit.NoCacheConflict", BuildKitErrorCategory.InvalidArgument, "-NoCache is for all stages and -NoCacheFilter for some; they can't be given together.",
                "Leave out one of them.");
        if (request.NoCache || request.NoCacheFilter.Count > 0)
            attributes["no-cache"] = string.Join(',', request.NoCacheFilter);
    }

    private static string? ShmSize(long? bytes) => bytes switch
    {
        null or 0 => null,
        < 0 => throw new BuildKitException("BuildKit.InvalidSize", BuildKitErrorCategory.InvalidArgument, $"{bytes} bytes can't be the size of /dev/shm.", "Give -ShmSize a number above zero."),
        _ => bytes.Value.ToString(CultureInfo.InvariantCulture),
    };

    private static void Set(Dictionary<string, string> attributes, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            attributes[name] = value;
    }
}
