namespace BuildKit.Solve.Planning;

/// <summary>Options that BuildKit before 0.11 passes over in silence: a user must not believe in a limit that is not there.</summary>
internal static class OldDaemonOptions
{
    private static readonly (string Parameter, Func<SolveRequest, bool> IsAskedFor)[] Ignored =
    [
        ("-Annotation", request => request.Annotations.Count > 0),
        ("-CgroupParent", request => !string.IsNullOrEmpty(request.CgroupParent)),
        ("-ShmSize", request => request.ShmSize > 0),
        ("-SourceDateEpoch", request => request.SourceDateEpoch is not null),
        ("-Ulimit", request => request.Ulimits.Count > 0),
    ];

    /// <summary>Warns of those that were asked for.</summary>
    public static void Warn(SolvePlan plan, SolveRequest request, SolveDaemon daemon)
    {
        if (!daemon.IsOlderThan011)
            return;
        var ignored = Ignored.Where(option => option.IsAskedFor(request)).Select(option => option.Parameter).ToList();
        if (ignored.Count > 0)
            plan.Warnings.Add($"This daemon's BuildKit is older than 0.11 and may ignore {string.Join(", ", ignored)}.");
    }
}
