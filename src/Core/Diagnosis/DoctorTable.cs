using BuildKit.Diagnosis.Checks;

namespace BuildKit.Diagnosis;

/// <summary>The checks, in the order in which they are done and told. What a check needs or reads stands before it.</summary>
internal static class DoctorTable
{
    private static readonly string[] Connected = ["Connection"];

    public static IReadOnlyList<DoctorCheck> Rows { get; } =
    [
        Client("DockerConfig", ClientChecks.DockerConfigAsync),
        Client("BuilderStore", ClientChecks.BuilderStoreAsync) with { Needs = ["DockerConfig"] },
        Client("Endpoint", ClientChecks.EndpointAsync) with { Reads = ["DockerConfig"] },

        new("RegistryCredentials", DoctorScope.Registry, RegistryCheck.RunAsync) { Needs = ["DockerConfig"] },

        Node("NodeStatus", NodeChecks.NodeStatusAsync) with { Needs = ["Endpoint"] },
        Node("BuilderImage", NodeChecks.BuilderImageAsync) with { Needs = ["Endpoint"], Reads = ["NodeStatus"] },
        Node("Tls", TlsCheck.RunAsync) with { Needs = ["Endpoint"] },
        Node("Connection", NodeChecks.ConnectionAsync) with { Needs = ["Endpoint"], Reads = ["NodeStatus"] },

        Node("EngineApi", DaemonChecks.EngineApiAsync) with { Needs = Connected },
        Node("BuildKit", DaemonChecks.BuildKitAsync) with { Needs = Connected },
        Node("ImageStore", DaemonChecks.ImageStoreAsync) with { Needs = Connected },
        Node("Exporters", ExporterCheck.RunAsync) with { Needs = Connected, Patience = 6 },
        Node("Platforms", PlatformCheck.RunAsync) with { Needs = Connected },
        Node("TrialBuild", TrialBuildCheck.RunAsync) with { Needs = Connected },
        Node("Clock", TrialBuildCheck.ClockAsync) with { Needs = ["TrialBuild"] },
        Node("DockerInDocker", DockerInDockerCheck.RunAsync) with { Needs = Connected, Reads = ["EngineApi", "TrialBuild"] },
        Node("Cache", CacheChecks.CacheAsync) with { Needs = Connected },
        Node("GcPolicy", CacheChecks.GcPolicyAsync) with { Needs = Connected },
        Node("DiskSpace", CacheChecks.DiskSpaceAsync) with { Needs = Connected, Reads = ["EngineApi"] },
    ];

    /// <summary>The checks that are wanted, with those that they need or read, in order.</summary>
    public static IReadOnlyList<DoctorCheck> Select(Func<string, bool>? includes)
    {
        if (includes is null)
            return Rows;
        var wanted = new HashSet<string>();
        foreach (var row in Rows.Reverse())
        {
            if (!wanted.Contains(row.Name) && !includes(row.Name))
                continue;
            wanted.Add(row.Name);
            wanted.UnionWith(row.Needs);
            wanted.UnionWith(row.Reads);
        }
        return Rows.Where(row => wanted.Contains(row.Name)).ToList();
    }

    private static DoctorCheck Client(string name, Func<Subject, CancellationToken, Task<Finding>> run) => new(name, DoctorScope.Client, run);

    private static DoctorCheck Node(string name, Func<Subject, CancellationToken, Task<Finding>> run) => new(name, DoctorScope.Node, run);
}
