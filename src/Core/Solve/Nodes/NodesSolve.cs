using System.Diagnostics;
using BuildKit.Builders;
using BuildKit.Docker;
using BuildKit.Oci;
using BuildKit.Session.FileSend;
using BuildKit.Solve.Exporters;
using BuildKit.Solve.Planning;

namespace BuildKit.Solve.Nodes;

/// <summary>
/// One build on several nodes (docker/buildx build/build.go): planned for all before any of them begins, and solved by all at once. Only when all have succeeded are the outputs put in
/// place, those of all nodes before anything else is done, and at last the parts of an image are joined under its names.
/// </summary>
internal sealed class NodesSolve : IAsyncDisposable
{
    private readonly IReadOnlyList<NodePart> _parts;
    private readonly List<string> _names;
    private readonly SolveRun?[] _runs;
    private readonly NodeEvents _events;
    private readonly DockerConfigFile _config;
    private ArchiveCopy? _archive;

    private NodesSolve(IReadOnlyList<NodePart> parts, DockerConfigFile config, IProgress<SolveEvent>? events)
    {
        _parts = parts;
        _names = parts.Select(part => part.Name).ToList();
        _runs = new SolveRun?[parts.Count];
        _config = config;
        _events = new NodeEvents(events);
    }

    private IEnumerable<SolveRun> Runs => _runs.OfType<SolveRun>();

    /// <summary>Builds.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="parts">The nodes with what each of them builds, at least two.</param>
    /// <param name="request">What to build.</param>
    /// <param name="config">The docker config.</param>
    /// <param name="events">Is told everything that happens; null where nobody listens.</param>
    /// <param name="clock">Runs since the build was asked for.</param>
    /// <param name="cancellationToken">Stops the build on all nodes.</param>
    /// <returns>What the build gave.</returns>
    /// <exception cref="BuildKitException">The error of the first node that failed.</exception>
    public static async Task<BuildKitSolveResult> RunAsync(
        BuilderTarget builder, IReadOnlyList<NodePart> parts, SolveRequest request, DockerConfigFile config, IProgress<SolveEvent>? events, Stopwatch clock,
        CancellationToken cancellationToken)
    {
        await using var solve = new NodesSolve(parts, config, events);
        var image = await solve.PlanAsync(request, builder.Unavailable, cancellationToken).ConfigureAwait(false);
        await NodeTasks.RunAsync(solve._names, (node, stop) => solve._runs[node]!.SolveAsync(stop), cancellationToken).ConfigureAwait(false);
        var settings = MetadataSettings.Read();
        await solve.FinishAsync(settings.Provenance != MetadataProvenance.None, cancellationToken).ConfigureAwait(false);
        var index = image is null
            ? null
            : await IndexPush.RunAsync(image, solve.Responses(), config, solve._events, cancellationToken).ConfigureAwait(false);
        return solve.End(builder.Name, request, image, index, settings, clock);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var run in Runs)
            await run.DisposeAsync().ConfigureAwait(false);
        if (_archive is not null)
            await _archive.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Plans for every node, so that what one of them can't do is said before any of them has begun.</summary>
    private async Task<JoinedImage?> PlanAsync(SolveRequest request, IReadOnlyList<BuildKitException> leftOut, CancellationToken cancellationToken)
    {
        if (request.ContextArchive is { } archive)
            _archive = await ArchiveCopy.CreateAsync(archive, Path.GetTempPath(), cancellationToken).ConfigureAwait(false);
        // One reference on all daemons, as buildx has it. The files of the result are of all parts.
        var common = request with { IsPart = true, Ref = request.Ref ?? Identifier.New(), MetadataFile = null, ImageIdFile = null };
        for (var node = 0; node < _parts.Count; node++)
        {
            var part = common with { Platforms = _parts[node].Platforms, ContextArchive = _archive?.Open() };
            try
            {
                _runs[node] = await SolveRun.PlanAsync(_parts[node].Connection, part, _config, _events.Of(_names[node]), cancellationToken).ConfigureAwait(false);
            }
            catch (BuildKitException error) when (IsOfNode(error))
            {
                error.Node ??= _names[node];
                throw;
            }
        }
        var plan = _runs[0]!.Plan;
        SolveOperation.WarnOfPlan(_runs[0]!, request, leftOut);
        foreach (var cache in plan.CacheExports.Where(cache => cache.Type != "inline"))
            plan.Warnings.Add($"Several nodes write their caches to the same place (type={cache.Type}): what the last one writes stays.");
        ResultFiles.Prepare(request, plan.Exports);
        return plan.JoinedImage;
    }

    private List<(string Node, IReadOnlyDictionary<string, string> Response)> Responses() =>
        _names.Zip(Runs, (name, run) => (name, (IReadOnlyDictionary<string, string>)run.Response)).ToList();

    // Anything else that is found out before the build is about what was asked for.
    private static bool IsOfNode(BuildKitException error) =>
        error.Category is BuildKitErrorCategory.Connection or BuildKitErrorCategory.NotSupported or BuildKitErrorCategory.Protocol && error.ErrorId != NodeExports.NotSupportedId;

    // One after the other: they may share a directory.
    private async Task FinishAsync(bool withProvenance, CancellationToken cancellationToken)
    {
        var exports = _runs[0]!.Plan.Exports;
        for (var export = 0; export < exports.Count; export++)
            if (exports[export].DestinationKind == ExporterDestination.Directory && GoBoolean.Parse(exports[export].Attributes.GetValueOrDefault("platform-split")) == false)
                RefuseSharedFiles(export);
        await EachAsync((run, stop) => run.CommitAsync(stop)).ConfigureAwait(false);
        await EachAsync((run, stop) => run.FinishAsync(withProvenance, stop)).ConfigureAwait(false);

        async Task EachAsync(Func<SolveRun, CancellationToken, Task> work)
        {
            foreach (var (name, run) in _names.Zip(Runs))
                await NodeTasks.RunAsync([name], (_, stop) => work(run, stop), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A daemon says the same of two platforms that it builds itself.</summary>
    private void RefuseSharedFiles(int export)
    {
        var owners = new Dictionary<string, string>(OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        foreach (var (name, run) in _names.Zip(Runs))
            foreach (var path in run.ReceivedFiles(export))
                if (!owners.TryAdd(path, name) && owners[path] != name)
                    throw new BuildKitException(
                        "BuildKit.OutputFilesCollide", BuildKitErrorCategory.InvalidArgument, $"The nodes '{owners[path]}' and '{name}' both give a file {ExportErrors.Quote(path)}.",
                        "Leave out platform-split=false, so that every platform gets a directory of its own, or give the files different names.")
                    { Target = run.Plan.Exports[export].Destination };
    }

    private BuildKitSolveResult End(string builder, SolveRequest request, JoinedImage? image, JoinedIndex? index, MetadataSettings settings, Stopwatch clock)
    {
        var first = _runs[0]!;
        // As buildx has it: all that is known of an index is its digest, and without one the first node speaks for all.
        IReadOnlyDictionary<string, string> response = index is null ? first.Response : new Dictionary<string, string> { [SolveResultReader.ImageDigestKey] = index.Digest };
        var buildRef = index is null ? MetadataFile.BuildRef(builder, _names[0], first.Ref) : null;
        if (ResultFiles.Write(
            request, first.Plan.Exports, response, buildRef, index is null ? first.Provenance : [], _events.Journal.Warnings, settings) is { } missing)
            first.Warn(missing);
        var result = SolveResultReader.Read(
            response, _events.Journal, first.Plan.Exports, Outputs(), Runs.SelectMany(run => run.Provenance).ToList(), builder, first.Ref, clock.Elapsed);
        return result with
        {
            Tags = image?.Names ?? result.Tags,
            Nodes = _parts.Zip(Runs, (part, run) => NodeResult(part, run, index)).ToList(),
        };
    }

    private static SolveNodeResult NodeResult(NodePart part, SolveRun run, JoinedIndex? index) => new(part.Name, part.Platforms)
    {
        ImageDigest = run.Response.GetValueOrDefault(SolveResultReader.ImageDigestKey),
        ManifestDigests = part.Platforms.Where(platform => index?.Platforms.ContainsKey(platform) == true).ToDictionary(platform => platform, platform => index!.Platforms[platform]),
    };

    private List<SolveOutputResult> Outputs() => _runs[0]!.Outputs
        .Select((output, place) => output with { Size = output.Size is null ? null : Runs.Sum(run => run.Outputs[place].Size ?? 0) })
        .ToList();
}
