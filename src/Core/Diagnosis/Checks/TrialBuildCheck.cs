namespace BuildKit.Diagnosis.Checks;

/// <summary>Whether the daemon builds at all, and what its clock shows meanwhile.</summary>
internal static class TrialBuildCheck
{
    // Files and records carry wrong times from here on; tokens of registries, which live for minutes, are refused beyond the second.
    private static readonly TimeSpan Noticeable = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Harmful = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(3);

    public static async Task<Finding> RunAsync(Subject subject, CancellationToken cancellationToken)
    {
        var trial = await TrialBuild.RunAsync(subject.Connection!, cancellationToken).ConfigureAwait(false);
        subject.Trial = trial;
        return trial.Duration > Slow
            ? Finding.Warning(
                $"A build of two layers with a file each took {Text.Time(trial.Duration)}.",
                "The daemon's machine or disk may be very busy; the storage driver vfs is slow as well.")
            : Finding.Pass($"A build of two layers with a file each, the second over the first, took {Text.Time(trial.Duration)}.");
    }

    public static Task<Finding> ClockAsync(Subject subject, CancellationToken cancellationToken) => Task.FromResult(Judge(subject.Trial!));

    internal static Finding Judge(TrialBuild trial)
    {
        if (trial.Skew is not { } skew)
            return Finding.Skip("The trial build's steps came without a time.");
        var size = skew.Duration();
        if (size == TimeSpan.Zero)
            return Finding.Pass($"The daemon's clock agrees with this side's, as far as can be seen (within {Text.Time(trial.Uncertainty)}).");
        var told = $"The daemon's clock is {Text.Time(size)} {(skew > TimeSpan.Zero ? "ahead of" : "behind")} this side's";
        const string Lead = "Set the clocks of both machines by NTP. A virtual machine that slept (Docker Desktop, WSL) gets its time back by a restart.";
        return size >= Harmful ? Finding.Fail($"{told}: certificates and the tokens of registries may be refused.", Lead, "BuildKit.ClockSkew")
            : size >= Noticeable ? Finding.Warning($"{told}: times in images and records are off by as much.", Lead, "BuildKit.ClockSkew")
            : Finding.Pass($"{told}.");
    }
}
