using BuildKit.Docker;

namespace BuildKit.Diagnosis.Checks;

/// <summary>
/// An Engine in a container whose data lies on the container's own overlay: layers can't be mounted there. The classic store falls back to the slow driver vfs (moby/moby#42171);
/// the containerd store, the default from Engine 29 on, fails when it mounts («failed to mount … overlay … invalid argument», docker/cli#6646, devcontainers/features#1653).
/// An Engine tells of its container and of its driver, but with the containerd store not what its data lies on: that is left to the trial build.
/// </summary>
internal static class DockerInDockerCheck
{
    private const string Containerized = "(containerized)";
    private const string Volume = "Give the Engine's container a volume for /var/lib/docker, and from Engine 29 on for /var/lib/containerd too (docker run -v …).";

    public static Task<Finding> RunAsync(Subject subject, CancellationToken cancellationToken) => Task.FromResult(
        subject.Connection!.Engine is null ? Finding.Skip("A buildkitd does not tell whether it is in a container; the trial build shows whether its layers can be mounted.")
        : subject.Engine is not { } info ? Finding.Blocked("EngineApi has failed.")
        : Judge(info, subject.Findings["TrialBuild"]));

    internal static Finding Judge(SystemInfoResponse info, Finding trial)
    {
        var inContainer = info.OperatingSystem?.Contains(Containerized, StringComparison.Ordinal) is true;
        var where = inContainer ? "The Engine runs in a container or control group of its own" : "The Engine does not say that it is in a container";
        var driver = info.UsesContainerdStore ? $"snapshotter {info.Driver}" : $"storage driver {info.Driver}";
        var backing = info.DriverStatus?.FirstOrDefault(pair => pair is ["Backing Filesystem", _])?[1];
        var told = $"{where}, with the {driver}{(backing is null ? string.Empty : $" on {backing}")}";

        if (trial.Status == BuildKitCheckStatus.Fail && IsMount(trial.Detail))
            return Finding.Fail($"{told}, and can't mount one layer over another: see TrialBuild.", Volume, trial.ErrorId);
        if (info.Driver is "vfs" or "native")
            return Finding.Warning(
                $"{told}, which copies every layer whole: builds are slow and fill the disk.", $"{Volume} Where there is no container, use overlay2 or the containerd store.");
        if (backing is "overlayfs" or "aufs")
            return Finding.Warning($"{told}, which is a container's own file system: what is built is lost with it, and some layers can't be mounted.", Volume);
        if (trial.Status == BuildKitCheckStatus.Fail)
            return Finding.Blocked($"{told}, but as the trial build failed, it is not seen whether layers can be mounted.");
        return Finding.Pass($"{told}, and mounts one layer over another.");
    }

    private static bool IsMount(string words) =>
        words.Contains("mount", StringComparison.OrdinalIgnoreCase) || words.Contains("whiteout", StringComparison.OrdinalIgnoreCase)
        || words.Contains("overlay", StringComparison.OrdinalIgnoreCase);
}
