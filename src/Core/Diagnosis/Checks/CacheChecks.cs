using BuildKit.Builders;
using BuildKit.Protocol.Control;
using BuildKit.Solve.Progress;

namespace BuildKit.Diagnosis.Checks;

/// <summary>How much the build cache holds, by which rules it is cleaned, and what is left of the disk where that can be seen from here.</summary>
internal static class CacheChecks
{
    private const long Little = 5_000_000_000;
    private const long TooLittle = 500_000_000;

    public static async Task<Finding> CacheAsync(Subject subject, CancellationToken cancellationToken)
    {
        var usage = await new ControlClient(subject.Connection!.Invoker).DiskUsageAsync(new DiskUsageRequest(), cancellationToken).ConfigureAwait(false);
        var total = usage.Record.Sum(record => record.Size);
        var free = usage.Record.Where(record => !record.InUse).Sum(record => record.Size);
        var told = $"The build cache holds {ByteSize.Format(total)} in {Text.Count(usage.Record.Count, "record")}, of which {ByteSize.Format(free)} could be freed";
        return Limit(subject.Connection.Workers) is { } limit && total > limit
            ? Finding.Warning(
                $"{told}: more than the {ByteSize.Format(limit)} that its rules allow.", $"The daemon cleans it up by itself after a while; '{Prune(subject)}' does so at once.")
            : Finding.Pass($"{told}.");
    }

    public static Task<Finding> GcPolicyAsync(Subject subject, CancellationToken cancellationToken)
    {
        var policies = Policies(subject);
        if (policies.Count == 0)
            return Task.FromResult(Finding.Warning(
                "The build cache is never cleaned: there is no rule for it, and it grows until the disk is full.",
                subject.Connection!.Engine is null
                    ? "Set gc = true and gckeepstorage (or maxUsedSpace) for the worker in buildkitd.toml, or run 'buildctl prune' from time to time."
                    : "Set builder.gc in the Engine's daemon.json (\"builder\": {\"gc\": {\"enabled\": true}}), or run 'docker builder prune' from time to time."));
        var limits = new List<string>();
        if (Limit(subject.Connection!.Workers) is { } limit)
            limits.Add($"at most {ByteSize.Format(limit)} are used");
        if (policies.Max(policy => policy.ReservedSpace) is > 0 and var reserved)
            limits.Add($"{ByteSize.Format(reserved)} are always left to it");
        if (policies.Max(policy => policy.MinFreeSpace) is > 0 and var free)
            limits.Add($"{ByteSize.Format(free)} of the disk are kept free");
        var told = limits.Count > 0 ? $": {string.Join(", ", limits)}" : string.Empty;
        return Task.FromResult(Finding.Pass($"The build cache is cleaned by {Text.Count(policies.Count, "rule")}{told}."));
    }

    public static Task<Finding> DiskSpaceAsync(Subject subject, CancellationToken cancellationToken)
    {
        const string Unknown = "A daemon does not tell how full its disk is";
        var connection = subject.Connection!;
        if (connection.Endpoint.Scheme is not ("unix" or "npipe"))
            return Task.FromResult(Finding.Skip($"{Unknown}, and it is reached by {connection.Endpoint.Scheme}://: it may be on another machine."));
        if (subject.Engine is not { DockerRootDir: { Length: > 0 } folder } info)
            return Task.FromResult(Finding.Skip($"{Unknown}, nor a buildkitd where its data is."));
        // A socket can be one of another machine or container, in which the same path is another place.
        if (!string.Equals(info.Name, Environment.MachineName, StringComparison.OrdinalIgnoreCase) || !Directory.Exists(folder))
            return Task.FromResult(Finding.Skip($"{Unknown}, and its data ({folder} on '{info.Name}') is not seen from here."));
        var drive = new DriveInfo(folder);
        return Task.FromResult(Judge(folder, drive.AvailableFreeSpace, drive.TotalSize));
    }

    internal static Finding Judge(string folder, long free, long total)
    {
        var told = $"{ByteSize.Format(free)} of {ByteSize.Format(total)} are free where the Engine keeps its data ({folder})";
        const string Lead = "Free some (docker builder prune, docker image prune), or give it a larger disk.";
        return free < TooLittle ? Finding.Fail($"{told}: builds fail when it is full.", Lead, "BuildKit.DaemonDiskFull")
            : free < Little ? Finding.Warning($"{told}.", Lead, "BuildKit.DaemonDiskFull")
            : Finding.Pass($"{told}.");
    }

    private static string Prune(Subject subject) => subject.Connection!.Engine is null ? "buildctl prune" : "docker builder prune";

    private static List<BuildKitGcPolicy> Policies(Subject subject) => subject.Connection!.Workers.SelectMany(worker => worker.GCPolicies).ToList();

    /// <summary>The bytes that the caches of all workers may take together; null where one of them has no limit.</summary>
    internal static long? Limit(IReadOnlyList<BuildKitWorker> workers)
    {
        // Only the rule about all records bounds the whole.
        var limits = workers.Select(worker => worker.GCPolicies.LastOrDefault(policy => policy.All && policy.MaxUsedSpace > 0)?.MaxUsedSpace).ToList();
        return limits.Count > 0 && limits.TrueForAll(limit => limit is not null) ? limits.Sum() : null;
    }
}
