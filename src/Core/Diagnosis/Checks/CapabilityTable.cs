namespace BuildKit.Diagnosis.Checks;

/// <summary>A capability that a person misses when it is not there.</summary>
/// <param name="Id">Its id (moby/buildkit solver/pb/caps.go, frontend/gateway/pb/caps.go).</param>
/// <param name="Gives">What can be done with it.</param>
/// <param name="Since">What has it.</param>
internal sealed record Capability(string Id, string Gives, string Since)
{
    /// <summary>Whether an Engine has it with the containerd image store alone, so that a newer one does not bring it.</summary>
    public bool NeedsContainerdStore { get; init; }
}

/// <summary>The capabilities that are told of; daemons have about a hundred.</summary>
internal static class CapabilityTable
{
    /// <summary>Records of builds, for which there is no capability: the call is made.</summary>
    public static Capability History { get; } = new("history", "records of builds", "BuildKit 0.11, Docker Engine 24");

    public static IReadOnlyList<Capability> Rows { get; } =
    [
        new("mergeop", "COPY --link without a copy (mergeop)", "BuildKit 0.10, Docker Engine 23") { NeedsContainerdStore = true },
        new("exporter.multiple", "several outputs of one build", "BuildKit 0.13, Docker Engine 26"),
        new("exporter.image.attestations", "attestations", "BuildKit 0.11, Docker Engine 24"),
        new("exporter.sourcedateepoch", "reproducible times", "BuildKit 0.11, Docker Engine 24"),
        new("source.policy", "source policies", "BuildKit 0.11, Docker Engine 24"),
        new("source.ocilayout", "OCI layouts as contexts", "BuildKit 0.11, Docker Engine 24"),
        History,
    ];
}
