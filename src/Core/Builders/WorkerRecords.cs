using Wire = BuildKit.Protocol;

namespace BuildKit.Builders;

/// <summary>Turns what <c>Control.ListWorkers</c> answers into this library's records.</summary>
internal static class WorkerRecords
{
    // moby/buildkit worker/label: a worker has it when its images live in a snapshotter, and so in containerd's image store.
    private const string SnapshotterLabel = "org.mobyproject.buildkit.worker.snapshotter";

    public static IReadOnlyList<BuildKitWorker> ToWorkers(Wire.Control.ListWorkersResponse response) => response.Record.Select(ToWorker).ToList();

    /// <summary>Where built images go: an Engine's worker of the classic store has no snapshotter, and before Docker 23 no labels at all.</summary>
    public static BuildKitImageStore ImageStore(BuildKitServerKind kind, IReadOnlyList<BuildKitWorker> workers) =>
        kind == BuildKitServerKind.Buildkitd ? BuildKitImageStore.None
        : workers.Any(worker => worker.Labels.ContainsKey(SnapshotterLabel)) ? BuildKitImageStore.Containerd
        : BuildKitImageStore.Graphdriver;

    private static BuildKitWorker ToWorker(Wire.Types.WorkerRecord record) => new()
    {
        Id = record.ID,
        Labels = new SortedDictionary<string, string>(record.Labels, StringComparer.Ordinal),
        Platforms = record.Platforms.Select(ToPlatform).Distinct().ToList(), // Docker 26 names its own twice
        GCPolicies = record.GCPolicy.Select(ToPolicy).ToList(),
        Version = record.BuildkitVersion?.Version is { Length: > 0 } version ? version : null,
    };

    // containerd/platforms.Format
    private static string ToPlatform(Wire.Llb.Platform platform) =>
        $"{platform.OS}/{platform.Architecture}" + (platform.Variant.Length > 0 ? "/" + platform.Variant : string.Empty);

    private static BuildKitGcPolicy ToPolicy(Wire.Types.GCPolicy policy) => new()
    {
        All = policy.All,
        KeepDuration = policy.KeepDuration > 0 ? TimeSpan.FromTicks(policy.KeepDuration / TimeSpan.NanosecondsPerTick) : null,
        ReservedSpace = policy.ReservedSpace,
        MaxUsedSpace = policy.MaxUsedSpace,
        MinFreeSpace = policy.MinFreeSpace,
        Filters = policy.Filters.ToList(),
    };
}
