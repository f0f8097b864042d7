using BuildKit.Builders;
using BuildKit.Solve;

namespace BuildKit.Module.Commands;

/// <summary>A build of which nothing more is to be read from the session: it can run on any thread.</summary>
/// <param name="Builder">Which daemon, as <see cref="ConnectionPool"/> takes it.</param>
/// <param name="LoadInto">Which Engine images are loaded into, the same way; null for the one that docker would use.</param>
/// <param name="Request">What to build.</param>
internal sealed record PreparedSolve(object? Builder, object? LoadInto, SolveRequest Request)
{
    /// <summary>Whether an output's bytes go through the pipeline.</summary>
    public static bool IsToPipeline(SolveOutput output) => output.Destination == SolveOutput.StandardOutput;

    /// <summary>Connects and builds.</summary>
    /// <param name="pipeline">Takes the bytes of an output to the pipeline.</param>
    /// <param name="explain">Is told which daemon was chosen, and by what.</param>
    /// <param name="events">Is told what happens.</param>
    /// <param name="cancellationToken">Stops the build on the daemon too.</param>
    public async Task<BuildKitSolveResult> RunAsync(Stream? pipeline, Action<string> explain, IProgress<SolveEvent> events, CancellationToken cancellationToken)
    {
        var request = Request with
        {
            Outputs = Request.Outputs.Select(output => IsToPipeline(output) ? output with { Destination = null, Stream = pipeline } : output).ToList(),
        };
        if (Builder is BuildKitConnection given)
            return await SolveOperation.RunAsync(given, await WithEngineAsync().ConfigureAwait(false), events, cancellationToken).ConfigureAwait(false);
        var builder = await ConnectionPool.FindAsync(Builder, cancellationToken).ConfigureAwait(false);
        return await SolveOperation.RunAsync(builder, ConnectAsync, await WithEngineAsync().ConfigureAwait(false), events, cancellationToken).ConfigureAwait(false);

        async Task<BuildKitConnection> ConnectAsync(BuilderTargetNode node, CancellationToken stop)
        {
            using var boot = new BootProgress(events);
            return await ConnectionPool.ConnectAsync(node.Endpoint, "Builder", explain, boot, stop).ConfigureAwait(false);
        }

        async Task<SolveRequest> WithEngineAsync() => LoadInto is null
            ? request
            : request with { LoadInto = await ConnectionPool.ConnectAsync(LoadInto, "Loading into", explain, null, cancellationToken).ConfigureAwait(false) };
    }
}
