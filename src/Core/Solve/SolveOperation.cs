using System.Diagnostics;
using BuildKit.Builders;
using BuildKit.Docker;
using BuildKit.Solve.Exporters;
using BuildKit.Solve.Nodes;

namespace BuildKit.Solve;

/// <summary>Runs builds: opens the session, starts the status stream, solves, and puts the outputs in place.</summary>
public static class SolveOperation
{
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

    /// <summary>
    /// Builds on those of a builder's nodes that have the platforms asked for. The parts of an image that is pushed are joined into one index in the registry, and get the image's
    /// names once all of them are there. The first node that fails ends the build on the others.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="connect">Opens the connection to a node, or finds an open one; only nodes that are needed are asked for, at the same time. Who gave it closes them.</param>
    /// <param name="request">What to build.</param>
    /// <param name="events">Is told everything the daemons report; with several nodes each step's name begins with its node's. Null where nobody listens.</param>
    /// <param name="cancellationToken">Stops the build on all daemons.</param>
    /// <returns>What the build gave; <see cref="BuildKitSolveResult.Nodes"/> tells of the nodes where there were several.</returns>
    /// <exception cref="SolveFailedException">The build failed on a daemon.</exception>
    /// <exception cref="BuildKitException">
    /// The request can't be right or can't be done on several nodes (<c>BuildKit.NodesOutputNotSupported</c>), a node can't be reached, a part or the index can't be pushed …;
    /// <see cref="BuildKitException.Node"/> is the node's name.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<BuildKitSolveResult> RunAsync(
        BuilderTarget builder, Func<BuilderTargetNode, CancellationToken, Task<BuildKitConnection>> connect, SolveRequest request, IProgress<SolveEvent>? events,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(connect);
        ArgumentNullException.ThrowIfNull(request);
        var config = await DockerConfigFile.LoadAsync(cancellationToken).ConfigureAwait(false);
        return await RunAsync(builder, connect, request, config, events, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same with a docker config that is not this user's.</summary>
    internal static async Task<BuildKitSolveResult> RunAsync(
        BuilderTarget builder, Func<BuilderTargetNode, CancellationToken, Task<BuildKitConnection>> connect, SolveRequest request, DockerConfigFile config,
        IProgress<SolveEvent>? events, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        if (request is { Outputs.Count: 0, Push: false } && builder.Nodes[0].LoadsByDefault && ExportPlanner.AllowsDefaultLoad)
            request = request with { Load = true };
        var parts = await NodeChoice.ChooseAsync(builder, connect, request, cancellationToken).ConfigureAwait(false);
        if (parts is [var only])
            return await RunAsync(only.Connection, request with { Platforms = only.Platforms }, config, builder.Unavailable, events, cancellationToken).ConfigureAwait(false);
        return await NodesSolve.RunAsync(builder, parts, request, config, events, clock, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Builds on one daemon, with a docker config that is not this user's.</summary>
    internal static Task<BuildKitSolveResult> RunAsync(
        BuildKitConnection connection, SolveRequest request, DockerConfigFile config, IProgress<SolveEvent>? events, CancellationToken cancellationToken) =>
        RunAsync(connection, request, config, [], events, cancellationToken);

    private static async Task<BuildKitSolveResult> RunAsync(
        BuildKitConnection connection, SolveRequest request, DockerConfigFile config, IReadOnlyList<BuildKitException> leftOut, IProgress<SolveEvent>? events,
        CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        await using var run = await SolveRun.PlanAsync(connection, request, config, events, cancellationToken).ConfigureAwait(false);
        WarnOfPlan(run, request, leftOut);
        await run.SolveAsync(cancellationToken).ConfigureAwait(false);
        var settings = MetadataSettings.Read();
        await run.CommitAsync(cancellationToken).ConfigureAwait(false);
        await run.FinishAsync(settings.Provenance != MetadataProvenance.None, cancellationToken).ConfigureAwait(false);
        var buildRef = MetadataFile.BuildRef(connection.Name, connection.Endpoint.Node, run.Ref);
        if (ResultFiles.Write(request, run.Plan.Exports, run.Response, buildRef, run.Provenance, run.Journal.Warnings, settings) is { } missing)
            run.Warn(missing);
        return SolveResultReader.Read(run.Response, run.Journal, run.Plan.Exports, run.Outputs, run.Provenance, connection.Name, run.Ref, clock.Elapsed);
    }

    /// <summary>Adds the warnings about what was asked for and what it is built on.</summary>
    internal static void WarnOfPlan(SolveRun run, SolveRequest request, IReadOnlyList<BuildKitException> leftOut)
    {
        run.Plan.Warnings.AddRange(leftOut.Select(failure => $"The build does without a node of the builder. {failure.Message}"));
        if (request.Outputs.Count == 0 && run.Plan.Exports.Count == 0)
            run.Plan.Warnings.Add(NoOutput);
    }
}
