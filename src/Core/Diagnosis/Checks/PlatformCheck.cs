using BuildKit.Solve.Nodes;
using BuildKit.Solve.Planning;

namespace BuildKit.Diagnosis.Checks;

/// <summary>The platforms whose programs the daemon can run: a worker lists what it has seen to run, by emulators too (moby/buildkit util/archutil).</summary>
internal static class PlatformCheck
{
    private const string Emulators = "docker run --privileged --rm tonistiigi/binfmt --install all";

    public static Task<Finding> RunAsync(Subject subject, CancellationToken cancellationToken) => Task.FromResult(Judge(subject));

    private static Finding Judge(Subject subject)
    {
        var platforms = subject.Connection!.Workers.SelectMany(worker => worker.Platforms).Distinct().ToList();
        if (platforms.Count == 0)
            return Finding.Warning("Its workers list no platform.", "Look at the daemon's log: it may have no worker that runs.");
        // The first is the machine's own; of its architecture the daemon lists what the processor has.
        var own = RunnablePlatforms.Of(Parse(platforms[0])).Select(platform => platform.Architecture).ToHashSet();
        var emulated = platforms.Where(platform => !own.Contains(Parse(platform).Architecture)).ToList();
        var told = $"It runs {string.Join(", ", platforms.Except(emulated))} itself, and "
            + (emulated.Count > 0 ? $"{string.Join(", ", emulated)} by emulators." : "no other platform: it has no emulators.");

        var known = platforms.Select(Normal).ToHashSet();
        var missing = subject.Request.Platforms.Where(platform => !known.Contains(Normal(platform))).ToList();
        var lead = $"Install emulators on its machine ({Emulators}), add a node that has the platform, or cross-compile in a stage FROM --platform=$BUILDPLATFORM.";
        if (missing.Count > 0 && subject.Target!.Nodes.Count == 1)
            return Finding.Fail($"{string.Join(", ", missing)} is wanted and missing. {told}", lead, "BuildKit.PlatformNotEmulated");
        if (missing.Count > 0)
            return Finding.Warning($"{string.Join(", ", missing)} is wanted and missing on this node. {told}", lead, "BuildKit.PlatformNotEmulated");
        var promised = subject.Node!.Node?.Platforms.Where(platform => !known.Contains(Normal(platform))).ToList();
        return promised is { Count: > 0 }
            ? Finding.Warning($"The builder's store says that this node has {string.Join(", ", promised)}, and it does not. {told}", lead, "BuildKit.PlatformNotEmulated")
            : Finding.Pass(told);
    }

    private static string Normal(string platform) => Parse(platform).ToString();

    private static PlatformSpecifier Parse(string platform) => PlatformSpecifier.Parse(platform, "linux");
}
