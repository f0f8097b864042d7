using System.Formats.Tar;
using System.Net.Http.Headers;
using BuildKit.Builders;
using BuildKit.Solve;
using BuildKit.Solve.Exporters;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve.Exporters;

/// <summary>Every cell of the table, asked for as a user does, on every daemon.</summary>
public sealed class ExporterCellTests
{
    private const string Dockerfile = "FROM scratch\nCOPY word /deep/word\n";

    public static TheoryData<EngineKind, string, ExporterDestination> Cells
    {
        get
        {
            var cells = new TheoryData<EngineKind, string, ExporterDestination>();
            foreach (var kind in ExporterEngines.Kinds)
                foreach (var row in ExporterTable.Rows.Where(row => row.Daemon == ExporterEngines.Store(kind)))
                    cells.Add(kind, row.Type, row.Destination);
            return cells;
        }
    }

    public static TheoryData<string, ExporterDestination> ContainerCells
    {
        get
        {
            var cells = new TheoryData<string, ExporterDestination>();
            foreach (var row in ExporterTable.Rows.Where(row => row.Daemon == DaemonStore.ContainerBuilder))
                cells.Add(row.Type, row.Destination);
            return cells;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Cells))]
    public async Task TheCellIsAsTheTableSays(EngineKind kind, string type, ExporterDestination destination)
    {
        var engine = await TestEngines.GetAsync(kind);
        await using var connection = await ExporterEngines.ConnectAsync(kind);
        await ProveAsync(connection, engine.IsDocker ? engine : null, ExporterEngines.Store(kind), type, destination, $"cells/{kind}-{type}-{destination}".ToLowerInvariant());
    }

    [SkippableTheory]
    [MemberData(nameof(ContainerCells))]
    public async Task TheCellOfAContainerIsAsTheTableSays(string type, ExporterDestination destination)
    {
        await using var connection = await ExporterEngines.ConnectToContainerAsync();
        await ProveAsync(connection, null, DaemonStore.ContainerBuilder, type, destination, $"cells/container-{type}-{destination}".ToLowerInvariant());
    }

    /// <param name="connection">The daemon.</param>
    /// <param name="engine">The daemon where it is an Engine, in whose store images appear; or null.</param>
    /// <param name="store">Its column.</param>
    /// <param name="type">The row's type.</param>
    /// <param name="destination">The row's destination.</param>
    /// <param name="name">A name for the image that nothing else has.</param>
    private static async Task ProveAsync(BuildKitConnection connection, TestEngine? engine, DaemonStore store, string type, ExporterDestination destination, string name)
    {
        var row = ExporterTable.Find(type, store).Single(row => row.Destination == destination);
        using var context = new BuildContextDirectory().Write("Dockerfile", Dockerfile).Write("word", $"{type} {destination}");
        using var here = new BuildContextDirectory();
        var path = Path.Combine(here.Path, "out");
        var registry = await TestEngines.GetAsync(EngineKind.Registry);
        await using var load = destination == ExporterDestination.Engine ? await ExporterEngines.ConnectAsync(EngineKind.Docker28Containerd) : null;
        var request = new SolveRequest
        {
            Context = context.Path,
            Tags = [type == "registry" ? $"{registry.Address.Authority}/{name}:1" : $"{name}:1"],
            LoadInto = load,
            Outputs =
            [
                new SolveOutput
                {
                    Type = type,
                    Destination = destination is ExporterDestination.None or ExporterDestination.Engine ? null : path,
                    Attributes = destination == ExporterDestination.Layout ? new Dictionary<string, string> { ["tar"] = "false" } : new Dictionary<string, string>(),
                },
            ],
        };

        if (!row.Supported)
        {
            var refusal = await Assert.ThrowsAsync<BuildKitException>(() => SolveOperation.RunAsync(connection, request, null, default));
            Assert.Equal("BuildKit.OutputNotSupported", refusal.ErrorId);
            Assert.Contains(row.Reason!, refusal.Message, StringComparison.Ordinal);
            Assert.Equal(row.WayOut, refusal.RecommendedAction);
            Assert.False(Path.Exists(path));
            return;
        }
        var result = await SolveOperation.RunAsync(connection, request, null, default).WaitAsync(TimeSpan.FromMinutes(2));

        switch (type, destination)
        {
            case ("cacheonly", _):
                Assert.Empty(result.Outputs);
                Assert.DoesNotContain(result.Steps, step => step.Name.StartsWith("exporting", StringComparison.Ordinal));
                break;
            case ("local", _):
                Assert.Equal("local Directory", await File.ReadAllTextAsync(Path.Combine(path, "deep", "word")));
                break;
            case ("tar", _):
                Assert.Contains("deep/word", await EntriesAsync(path));
                break;
            case ("registry", _):
                await AssertPushedAsync(registry, name);
                break;
            case (_, ExporterDestination.File):
                Assert.Superset(type == "oci" ? ["index.json", "oci-layout"] : new HashSet<string> { "manifest.json" }, await EntriesAsync(path));
                break;
            case (_, ExporterDestination.Layout):
                Assert.Contains(result.ImageDigest!, await File.ReadAllTextAsync(Path.Combine(path, "index.json")), StringComparison.Ordinal);
                Assert.True(File.Exists(Path.Combine(path, "blobs", result.ImageDigest!.Replace(':', Path.DirectorySeparatorChar))));
                break;
            case (_, ExporterDestination.Engine):
                await AssertInEngineAsync(await TestEngines.GetAsync(EngineKind.Docker28Containerd), name);
                break;
            default:
                Assert.StartsWith("sha256:", result.ImageDigest, StringComparison.Ordinal);
                break;
        }
        if (row.LoadsIntoEngine && engine is not null)
            await AssertInEngineAsync(engine, request.Tags[0][..^2]);
    }

    private static async Task AssertInEngineAsync(TestEngine engine, string name) =>
        Assert.Contains("sha256:", (await engine.DockerAsync("image", "inspect", "--format", "{{.Id}}", $"{name}:1")).OutputOrThrow(), StringComparison.Ordinal);

    private static async Task AssertPushedAsync(TestEngine registry, string name)
    {
        using var http = new HttpClient { BaseAddress = registry.Address };
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v2/{name}/manifests/1");
        foreach (var type in new[] { "oci.image.index.v1", "oci.image.manifest.v1", "docker.distribution.manifest.v2", "docker.distribution.manifest.list.v2" })
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue($"application/vnd.{type}+json"));
        using var response = await http.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    private static async Task<HashSet<string>> EntriesAsync(string path)
    {
        using var reader = new TarReader(File.OpenRead(path));
        var names = new HashSet<string>();
        while (await reader.GetNextEntryAsync() is { } entry)
            names.Add(entry.Name);
        return names;
    }
}
