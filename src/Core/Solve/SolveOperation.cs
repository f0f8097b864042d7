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

/// <summary>Runs builds: opens the session, starts the status stream, solves, and puts the outputs in place.</summary>
public static class SolveOperation
{
    /// <summary>How long the status stream may say nothing after the solve has ended.</summary>
    private static readonly TimeSpan StatusIdleLimit = TimeSpan.FromSeconds(5);

    private const string NoOutput = "No output was asked for: the result stays in the builder's cache alone. Name one with -Output, such as type=local,dest=out.";

    /// <summary>Builds what a request asks for.</summary>
    /// <param name="connection">The daemon that builds.</param>
    /// <param name="request">What to build.</param>
    /// <param name="events">Is told everything the daemon reports, in order, on a thread of the pool; null where nobody listens.</param>
    /// <param name="cancellationToken">Stops the build on the daemon too; outputs are then left as they were.</param>
    /// <returns>What the build gave. Outputs on this side are complete and in place.</returns>
    /// <exception cref="SolveFailedException">The build failed on the daemon.</exception>
    /// <exception cref="BuildKitException">The request can't be right, the context can't be read, an output can't be written, or the connection broke.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<BuildKitSolveResult> RunAsync(
        BuildKitConnection connection, SolveRequest request, IProgress<SolveEvent>? events, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(request);
        var config = await DockerConfigFile.LoadAsync(cancellationToken).ConfigureAwait(false);
        return await RunAsync(connection, request, config, events, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same with a docker config that is not this user's.</summary>
    internal static async Task<BuildKitSolveResult> RunAsync(
        BuildKitConnection connection, SolveRequest request, DockerConfigFile config, IProgress<SolveEvent>? events, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var daemon = SolveDaemon.Of(connection, config);
        await using var plan = await SolvePlanner.PlanAsync(request, daemon, cancellationToken).ConfigureAwait(false);
        ResultFiles.Prepare(request, plan.Exports);
        if (plan.Exports.Count > 1)
            await SeveralExports.DemandAsync(connection, cancellationToken).ConfigureAwait(false);
        var solveRef = request.Ref ?? Identifier.New();
        var journal = new SolveJournal();
        if (request.Outputs.Count == 0 && plan.Exports.Count == 0)
            plan.Warnings.Add(NoOutput);
        foreach (var warning in plan.Warnings)
            Warn(warning, journal, events);

        await using var services = new SolveServices(plan, config, new RecordedEvents(journal, events));
        var session = await BuildSession.OpenAsync(
            connection, plan.SessionName, plan.SharedKeyPath is null ? "" : SharedKey.For(plan.SharedKeyPath), services.Definitions, cancellationToken)
            .ConfigureAwait(false);
        SolveResponse response;
        await using (session.ConfigureAwait(false))
        {
            try
            {
                response = await SolveAsync(connection, Message(solveRef, session.Id, plan), journal, events, cancellationToken).ConfigureAwait(false);
            }
            catch (RpcException e)
            {
                cancellationToken.ThrowIfCancellationRequested();
                // The daemon reports a failure on this side as an echo of the session's; the first-hand error says more.
                throw services.FailureBehind(e.Status.Detail) ?? session.Defect ?? SolveErrorReader.Read(e, journal, solveRef, connection.Name, daemon.Store);
            }
        }

        var outputs = await services.CommitAsync(cancellationToken).ConfigureAwait(false);
        var returned = new Dictionary<string, string>(response.ExporterResponse);
        foreach (var step in plan.AfterSolve)
            await step.RunAsync(connection, returned, events, cancellationToken).ConfigureAwait(false);
        var settings = MetadataSettings.Read();
        IReadOnlyList<ProvenancePredicate> provenance = [];
        if (settings.Provenance != MetadataProvenance.None)
        {
            (provenance, var trouble) = await RecordedProvenance.ReadAsync(connection.Invoker, solveRef, cancellationToken).ConfigureAwait(false);
            if (trouble is not null)
                Warn(trouble, journal, events);
        }
        if (ResultFiles.Write(request, plan.Exports, returned, MetadataFile.BuildRef(connection.Name, solveRef), provenance, journal.Warnings, settings) is { } missing)
            Warn(missing, journal, events);
        return SolveResultReader.Read(returned, journal, plan.Exports, outputs, provenance, connection.Name, solveRef, clock.Elapsed);
    }

    private static void Warn(string text, SolveJournal journal, IProgress<SolveEvent>? events)
    {
        var warning = new SolveEvent([], [], [], [new SolveVertexWarning(string.Empty, 1, text, [], string.Empty, null)]);
        journal.Add(warning);
        events?.Report(warning);
    }

    private static Protocol.Control.SolveRequest Message(string solveRef, string sessionId, SolvePlan plan)
    {
        var message = new Protocol.Control.SolveRequest
        {
            Ref = solveRef,
            Session = sessionId,
            Frontend = plan.Frontend,
            FrontendAttrs = { plan.FrontendAttributes },
            Entitlements = { plan.Entitlements },
            Cache = new CacheOptions { Exports = { plan.CacheExports.Select(ToEntry) }, Imports = { plan.CacheImports.Select(ToEntry) } },
        };
        if (plan.SourcePolicy is { } policy)
            message.SourcePolicy = policy;
        foreach (var export in plan.Exports)
            message.Exporters.Add(new Exporter { Type = export.WireName, Attrs = { export.Attributes.ToDictionary() } });
        if (plan.Exports.Count > 0)
        {
            // Daemons before 0.13 read only these.
            message.ExporterDeprecated = plan.Exports[0].WireName;
            message.ExporterAttrsDeprecated.Add(plan.Exports[0].Attributes.ToDictionary());
        }
        return message;
    }

    private static CacheOptionsEntry ToEntry(SolveCache cache) => new() { Type = cache.Type, Attrs = { cache.Attributes.ToDictionary() } };

    private static async Task<SolveResponse> SolveAsync(
        BuildKitConnection connection, Protocol.Control.SolveRequest message, SolveJournal journal, IProgress<SolveEvent>? events, CancellationToken cancellationToken)
    {
        var control = new ControlClient(connection.Invoker);
        using var statusStop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var activity = new Activity();
        var status = ReadStatusAsync(control, message.Ref, journal, events, activity, statusStop.Token);
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

    private static async Task ReadStatusAsync(
        ControlClient control, string solveRef, SolveJournal journal, IProgress<SolveEvent>? events, Activity activity, CancellationToken cancellationToken)
    {
        using var call = control.Status(solveRef, cancellationToken);
        while (await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            activity.Touch();
            var solveEvent = SolveEventReader.Read(call.ResponseStream.Current);
            journal.Add(solveEvent);
            events?.Report(solveEvent);
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
