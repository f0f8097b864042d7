using BuildKit.Builders;
using BuildKit.Solve;
using BuildKit.Solve.Exporters;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve.Exporters;

/// <summary>What daemons say when they are asked by wire name.</summary>
public sealed class ExporterProbeTests
{
    public static TheoryData<EngineKind> Kinds => new(ExporterEngines.Kinds);

    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public async Task TheDaemonAgreesWithTheTableInEveryRow(EngineKind kind)
    {
        await using var connection = await ExporterEngines.ConnectAsync(kind);
        await DemandAgreementAsync(connection);
    }

    [SkippableFact]
    public async Task AContainerAgreesWithTheTableInEveryRow()
    {
        await using var connection = await ExporterEngines.ConnectToContainerAsync();
        await DemandAgreementAsync(connection);
    }

    private static async Task DemandAgreementAsync(BuildKitConnection connection)
    {
        var probed = await ExporterProbe.RunAsync(connection, BuildKitExporter.List(connection), default);

        Assert.All(probed, row => Assert.Equal((row.Name, row.Destination, row.Supported, ""), (row.Name, row.Destination, row.Probed, row.Supported ? row.ProbeError ?? "" : "")));
        Assert.All(probed.Where(row => !row.Supported), row => Assert.Contains("could not be found", row.ProbeError, StringComparison.Ordinal));
        Assert.Equal(ExporterTable.Types, probed.Select(row => row.Name).Distinct());
    }

    // What a user calls an exporter is not what the daemon calls it: these are the cells where that shows.
    [SkippableTheory]
    [InlineData(EngineKind.Docker20, "image", "registry", "docker", "oci", "cacheonly")]
    [InlineData(EngineKind.Docker26, "image", "registry", "docker", "oci", "cacheonly")]
    [InlineData(EngineKind.Docker28Graphdriver, "image", "registry", "docker", "oci", "cacheonly")]
    [InlineData(EngineKind.Docker26Containerd, "registry", "cacheonly")]
    [InlineData(EngineKind.Docker28Containerd, "registry", "cacheonly")]
    [InlineData(EngineKind.BuildkitdUnix, "moby", "registry", "cacheonly")]
    public async Task TheUsersWordsAreRefusedOnTheWire(EngineKind kind, params string[] wireNames)
    {
        await using var connection = await ExporterEngines.ConnectAsync(kind);
        foreach (var wireName in wireNames)
        {
            var answer = await ExporterProbe.AskAsync(connection, new ExporterQuestion(wireName, ExporterDestination.File), ExporterEngines.Store(kind), default);
            Assert.Equal($"exporter \"{wireName}\" could not be found", answer.Error?[^$"exporter \"{wireName}\" could not be found".Length..]);
        }
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker20)]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker26Containerd)]
    [InlineData(EngineKind.Docker28Containerd)]
    public async Task ProbingLeavesNothingBehind(EngineKind kind)
    {
        await using var engine = await TestEngines.StartPrivateAsync(kind);
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var (directories, images) = (Probes(), await ListAsync("images", "-a", "-q", "--digests"));

        await ProbeAsync(times: 2);
        var cached = await CountAsync();
        await ProbeAsync(times: 4);

        Assert.Equal(images, await ListAsync("images", "-a", "-q", "--digests"));
        // Other processes probe as well; what they leave for a moment goes too.
        var left = Probes().Except(directories).ToList();
        await Poll.UntilAsync(() => !left.Exists(Directory.Exists));
        // The daemon lets go of a record some time later; what every probe left would be four at least.
        await Poll.UntilAsync(async () => await CountAsync() <= cached + 2);
        // Engine 20.10 keeps no history.
        if (kind != EngineKind.Docker20)
            Assert.Equal("", await ListAsync("buildx", "history", "ls", "--format", "{{.Ref}}"));

        async Task ProbeAsync(int times)
        {
            for (var i = 0; i < times; i++)
                await ExporterProbe.RunAsync(connection, BuildKitExporter.List(connection), default);
        }

        async Task<int> CountAsync()
        {
            string? line = null;
            // The Engine fails where a snapshot goes away while it adds them up.
            await Poll.UntilAsync(async () =>
            {
                var usage = await engine.DockerAsync("system", "df", "--format", "{{.Type}} {{.TotalCount}}");
                line = usage.Output.Split('\n').FirstOrDefault(line => line.StartsWith("Build Cache ", StringComparison.Ordinal));
                return usage.ExitCode == 0;
            });
            return int.Parse(line!["Build Cache ".Length..], System.Globalization.CultureInfo.InvariantCulture);
        }

        async Task<string> ListAsync(params string[] command) => (await engine.DockerAsync(command)).OutputOrThrow();
        static string[] Probes() => Directory.GetDirectories(Path.GetTempPath(), "buildkit-probe-*");
    }
}
