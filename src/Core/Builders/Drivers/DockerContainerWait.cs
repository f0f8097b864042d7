using System.Diagnostics;
using BuildKit.Docker;
using BuildKit.Transport;

namespace BuildKit.Builders.Drivers;

/// <summary>Waits until the daemon in a container that was just started answers, or can't any more.</summary>
/// <param name="engine">The Engine.</param>
/// <param name="daemon">Where the daemon is.</param>
/// <param name="node">The node.</param>
internal sealed class DockerContainerWait(DockerEngineClient engine, BuildKitEndpoint daemon, BuilderNode node)
{
    // A daemon that ends as often as this is not about to answer.
    private const int MaxRestarts = 3;

    private const int LogLines = 15;

    // buildx gives up after some 15 seconds, which a busy machine can take; one that can't answer is found out sooner, by its state.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    private readonly string _container = DockerContainerSpec.ContainerName(node.Node);

    /// <summary>The commands that were run in the container to call the daemon.</summary>
    public IReadOnlyCollection<string> ExecIDs { get; private set; } = [];

    /// <summary>Whether the daemon answers at the first call.</summary>
    public async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        using var transport = await CreateTransportAsync(cancellationToken).ConfigureAwait(false);
        return await TryCallAsync(transport, cancellationToken).ConfigureAwait(false) is null;
    }

    /// <summary>Waits for it.</summary>
    /// <returns>False where the container was removed meanwhile.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.BuilderBootFailed</c>, with the end of the container's log.</exception>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        using var transport = await CreateTransportAsync(cancellationToken).ConfigureAwait(false);
        var clock = Stopwatch.StartNew();
        int? restartsBefore = null;
        int? exitCode = null;
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            if (await TryCallAsync(transport, cancellationToken).ConfigureAwait(false) is not { } failure)
                return true;
            if (await engine.Containers.InspectContainerAsync(_container, cancellationToken).ConfigureAwait(false) is not { } found)
                return false;
            restartsBefore ??= found.RestartCount;
            if (!found.State.Running || found.State.Restarting)
                exitCode = found.State.ExitCode;
            // One that was started again does not tell how it ended; the Engine pauses longer each time.
            if (exitCode is { } code && (!found.State.Running || found.RestartCount - restartsBefore >= MaxRestarts))
                throw DockerContainerErrors.Ended(node, code, found.State.OOMKilled, await LogAsync(cancellationToken).ConfigureAwait(false));
            if (found.State.Status == "running" && IsWithoutBuildctl(failure))
                throw DockerContainerErrors.NoBuildctl(node, failure);
            if (clock.Elapsed > Limit)
                throw DockerContainerErrors.Silent(node, Limit, failure, await LogAsync(cancellationToken).ConfigureAwait(false));
            await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<DaemonTransport> CreateTransportAsync(CancellationToken cancellationToken)
    {
        var transport = await (daemon with { ConnectTimeout = CallLimit }).CreateTransportAsync(cancellationToken).ConfigureAwait(false);
        ExecIDs = ((DockerExecTransport)transport).ExecIDs;
        return transport;
    }

    /// <returns>Why it does not answer; null where it does.</returns>
    private async Task<BuildKitException?> TryCallAsync(DaemonTransport transport, CancellationToken cancellationToken)
    {
        try
        {
            var found = await new RouteFinder(daemon, transport).FindAsync(cancellationToken).ConfigureAwait(false);
            await found.Channel.DisposeAsync().ConfigureAwait(false);
            return null;
        }
        catch (BuildKitException exception)
        {
            return exception;
        }
    }

    // The words of runc and of Go's os/exec.
    private static bool IsWithoutBuildctl(BuildKitException failure) =>
        failure.ErrorId == "BuildKit.ContainerCommandFailed" && failure.Message.Contains("executable file not found", StringComparison.Ordinal);

    private async Task<string> LogAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await engine.Containers.GetContainerLogsAsync(_container, LogLines, cancellationToken).ConfigureAwait(false);
        }
        catch (BuildKitException)
        {
            // Not every log of an Engine can be read.
            return string.Empty;
        }
    }
}
