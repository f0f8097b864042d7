using System.Diagnostics;
using BuildKit.Builders;
using BuildKit.Docker;
using BuildKit.Grpc;
using BuildKit.Protocol.Control;
using BuildKit.Session;
using BuildKit.Solve.Exporters;
using BuildKit.Solve.Planning;
using BuildKit.Solve.Provenance;

namespace BuildKit.Solve;

/// <summary>One build on one daemon, step by step: planned, solved, and its outputs put in place. The steps are taken once each, in that order.</summary>
internal sealed class SolveRun : IAsyncDisposable
{
    /// <summary>How long the status stream may say nothing after the solve has ended.</summary>
    private static readonly TimeSpan StatusIdleLimit = TimeSpan.FromSeconds(5);

    private readonly BuildKitConnection _connection;
    private readonly SolveDaemon _daemon;
    private readonly IProgress<SolveEvent>? _events;
    private readonly SolveServices _services;

    private SolveRun(
        BuildKitConnection connection, SolveDaemon daemon, SolveRequest request, SolvePlan plan, DockerConfigFile config, IProgress<SolveEvent>? events)
    {
        _connection = connection;
        _daemon = daemon;
        _events = events;
        Plan = plan;
        Ref = request.Ref ?? Identifier.New();
        _services = new SolveServices(plan, config, new RecordedEvents(Journal, events));
    }

    /// <summary>What is built.</summary>
    public SolvePlan Plan { get; }

    /// <summary>The build's reference on the daemon.</summary>
    public string Ref { get; }

    /// <summary>What was seen of the build.</summary>
    public SolveJournal Journal { get; } = new();

    /// <summary>What the exporters returned, corrected by what was done on this side; empty before <see cref="SolveAsync"/>.</summary>
    public Dictionary<string, string> Response { get; private set; } = [];

    /// <summary>What became of the outputs, in the order of the plan's exports; empty before <see cref="CommitAsync"/>.</summary>
    public IReadOnlyList<SolveOutputResult> Outputs { get; private set; } = [];

    /// <summary>The provenance that the daemon recorded; empty before <see cref="FinishAsync"/>.</summary>
    public IReadOnlyList<ProvenancePredicate> Provenance { get; private set; } = [];

    /// <summary>Plans a request for a daemon, and finds out that it can do all of it.</summary>
    /// <param name="connection">The daemon.</param>
    /// <param name="request">What to build.</param>
    /// <param name="config">The docker config.</param>
    /// <param name="events">Is told everything that happens; null where nobody listens.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The build, which has cost the daemon nothing yet.</returns>
    /// <exception cref="BuildKitException">The request can't be right, or the daemon can't do it.</exception>
    public static async Task<SolveRun> PlanAsync(
        BuildKitConnection connection, SolveRequest request, DockerConfigFile config, IProgress<SolveEvent>? events, CancellationToken cancellationToken)
    {
        var daemon = SolveDaemon.Of(connection, config);
        var plan = await SolvePlanner.PlanAsync(request, daemon, cancellationToken).ConfigureAwait(false);
        try
        {
            ResultFiles.Prepare(request, plan.Exports);
            if (plan.Exports.Count > 1)
                await SeveralExports.DemandAsync(connection, cancellationToken).ConfigureAwait(false);
            return new SolveRun(connection, daemon, request, plan, config, events);
        }
        catch
        {
            await plan.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Has the daemon build. What it exports to this side is not in its place yet.</summary>
    /// <param name="cancellationToken">Stops the build on the daemon too.</param>
    public async Task SolveAsync(CancellationToken cancellationToken)
    {
        foreach (var warning in Plan.Warnings)
            Warn(warning);
        var session = await BuildSession.OpenAsync(
            _connection, Plan.SessionName, Plan.SharedKeyPath is null ? "" : SharedKey.For(Plan.SharedKeyPath), _services.Definitions, cancellationToken)
            .ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            try
            {
                var response = await CallAsync(Message(session.Id), cancellationToken).ConfigureAwait(false);
                Response = new Dictionary<string, string>(response.ExporterResponse);
            }
            catch (RpcException e)
            {
                cancellationToken.ThrowIfCancellationRequested();
                // The daemon reports a failure on this side as an echo of the session's; the first-hand error says more.
                throw _services.FailureBehind(e.Status.Detail) ?? session.Defect ?? SolveErrorReader.Read(e, Journal, Ref, _connection.Name, _daemon.Store);
            }
        }
    }

    /// <inheritdoc cref="SolveServices.ReceivedFiles"/>
    public IReadOnlyList<string> ReceivedFiles(int export) => _services.ReceivedFiles(export);

    /// <summary>Puts the outputs in place.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task CommitAsync(CancellationToken cancellationToken) => Outputs = await _services.CommitAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Does what is left to be done on this side once the outputs are in place, and reads the provenance.</summary>
    /// <param name="withProvenance">Whether anybody wants the provenance.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task FinishAsync(bool withProvenance, CancellationToken cancellationToken)
    {
        foreach (var step in Plan.AfterSolve)
            await step.RunAsync(_connection, Response, _events, cancellationToken).ConfigureAwait(false);
        if (!withProvenance)
            return;
        (Provenance, var trouble) = await RecordedProvenance.ReadAsync(_connection.Invoker, Ref, cancellationToken).ConfigureAwait(false);
        if (trouble is not null)
            Warn(trouble);
    }

    /// <summary>Says what the user should know.</summary>
    /// <param name="text">A sentence.</param>
    public void Warn(string text)
    {
        var warning = new SolveEvent([], [], [], [new SolveVertexWarning(string.Empty, 1, text, [], string.Empty, null)]);
        Journal.Add(warning);
        _events?.Report(warning);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync().ConfigureAwait(false);
        await Plan.DisposeAsync().ConfigureAwait(false);
    }

    private Protocol.Control.SolveRequest Message(string sessionId)
    {
        var message = new Protocol.Control.SolveRequest
        {
            Ref = Ref,
            Session = sessionId,
            Frontend = Plan.Frontend,
            FrontendAttrs = { Plan.FrontendAttributes },
            Entitlements = { Plan.Entitlements },
            Cache = new CacheOptions { Exports = { Plan.CacheExports.Select(ToEntry) }, Imports = { Plan.CacheImports.Select(ToEntry) } },
        };
        if (Plan.SourcePolicy is { } policy)
            message.SourcePolicy = policy;
        foreach (var export in Plan.Exports)
            message.Exporters.Add(new Exporter { Type = export.WireName, Attrs = { export.Attributes.ToDictionary() } });
        if (Plan.Exports.Count > 0)
        {
            // Daemons before 0.13 read only these.
            message.ExporterDeprecated = Plan.Exports[0].WireName;
            message.ExporterAttrsDeprecated.Add(Plan.Exports[0].Attributes.ToDictionary());
        }
        return message;
    }

    private static CacheOptionsEntry ToEntry(SolveCache cache) => new() { Type = cache.Type, Attrs = { cache.Attributes.ToDictionary() } };

    private async Task<SolveResponse> CallAsync(Protocol.Control.SolveRequest message, CancellationToken cancellationToken)
    {
        var control = new ControlClient(_connection.Invoker);
        using var statusStop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var activity = new Activity();
        var status = ReadStatusAsync(control, activity, statusStop.Token);
        try
        {
            return await control.SolveAsync(message, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await DrainAsync(status, activity, cancellationToken).ConfigureAwait(false);
            await statusStop.CancelAsync().ConfigureAwait(false);
            await status.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadStatusAsync(ControlClient control, Activity activity, CancellationToken cancellationToken)
    {
        using var call = control.Status(Ref, cancellationToken);
        while (await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            activity.Touch();
            var solveEvent = SolveEventReader.Read(call.ResponseStream.Current);
            Journal.Add(solveEvent);
            _events?.Report(solveEvent);
        }
    }

    /// <summary>Waits for the end of the status stream, as long as it goes on saying something.</summary>
    private static async Task DrainAsync(Task status, Activity activity, CancellationToken cancellationToken)
    {
        // A long silent step must not have used up the time in which its own end is reported.
        activity.Touch();
        while (!status.IsCompleted && !cancellationToken.IsCancellationRequested)
        {
            var left = StatusIdleLimit - activity.Idle;
            if (left <= TimeSpan.Zero)
                return;
            try
            {
                await status.WaitAsync(left, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
            }
            catch (Exception e) when (e is RpcException or OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>When the status stream last said something.</summary>
    private sealed class Activity
    {
        private long _last = Stopwatch.GetTimestamp();

        public TimeSpan Idle => Stopwatch.GetElapsedTime(Volatile.Read(ref _last));

        public void Touch() => Volatile.Write(ref _last, Stopwatch.GetTimestamp());
    }
}
