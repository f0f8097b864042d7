using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using BuildKit.Docker;

namespace BuildKit.Builders.Drivers;

/// <summary>Brings the container of a node to where its daemon answers, whatever state it is in, and whoever else does the same meanwhile.</summary>
/// <param name="engine">The Engine.</param>
/// <param name="daemon">Where the node's daemon will be, and the Engine is.</param>
/// <param name="node">The node.</param>
/// <param name="progress">Is told of every step.</param>
internal sealed class DockerContainerBoot(DockerEngineClient engine, BuildKitEndpoint daemon, BuilderNode node, IProgress<BuilderBootEvent> progress)
{
    // Each round ends with an answer, unless somebody else removed the container in the middle of it.
    private const int MaxRounds = 5;

    // Whoever makes a container copies its files and starts it within moments. One that stays unstarted was left by somebody who did not get so far.
    private static readonly TimeSpan OthersStartLimit = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan OthersRemovalLimit = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CleanUpLimit = TimeSpan.FromSeconds(30);

    // How long an Engine may take to tell, after a Ctrl+C, whether it made what it was asked for.
    private static readonly TimeSpan LastAnswerLimit = TimeSpan.FromSeconds(10);

    private static readonly Dictionary<string, byte[]> NoFiles = [];

    // By the containers' ids, when those were last started that have answered since: what goes wrong with one after that, the connect tells.
    private static readonly ConcurrentDictionary<string, DateTimeOffset> Answered = new();

    private readonly string _container = DockerContainerSpec.ContainerName(node.Node);
    private readonly DockerContainerWait _wait = new(engine, daemon, node);

    /// <exception cref="BuildKitException"><c>BuildKit.BuilderBootFailed</c>, or why the image can't be pulled or the Engine not be reached.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        for (var round = 1; round <= MaxRounds; round++)
        {
            var found = await engine.Containers.InspectContainerAsync(_container, cancellationToken).ConfigureAwait(false);
            var answers = found is null
                ? await CreateAsync(cancellationToken).ConfigureAwait(false)
                : await TakeUpAsync(found, cancellationToken).ConfigureAwait(false);
            if (answers)
                return;
        }
        throw DockerContainerErrors.BootFailed(node, "is removed by somebody else whenever it is there.", "Look for what else uses the builder, and try again.");
    }

    /// <returns>False where somebody else made it first, or it was removed again.</returns>
    private async Task<bool> CreateAsync(CancellationToken cancellationToken)
    {
        var options = DockerContainerOptions.Read(node.Node.DriverOptions);
        await PullAsync(options.Image, cancellationToken).ConfigureAwait(false);
        return await StepAsync($"creating container {_container}", () => CreateAsync(options, cancellationToken)).ConfigureAwait(false);
    }

    private async Task<bool> CreateAsync(DockerContainerOptions options, CancellationToken cancellationToken)
    {
        var files = await FilesAsync(options, cancellationToken).ConfigureAwait(false);
        // What stands between us and an Engine may let nobody ask this; buildx does without as well.
        var info = await UnlessRefusedAsync(() => engine.System.GetSystemInfoAsync(cancellationToken), new SystemInfoResponse()).ConfigureAwait(false);
        var gpus = await HasGpusAsync(options.Image, cancellationToken).ConfigureAwait(false) ? DockerContainerSpec.AllGpus : null;
        var parameters = DockerContainerSpec.Create(node.Node, options, info, gpus, DockerContainerSpec.NeedsWslLibraries(daemon.Engine!));
        var volume = DockerContainerSpec.StateVolume(node.Node);
        // A volume that is not known to be new is somebody's cache.
        var hadVolume = await UnlessRefusedAsync(() => engine.Volumes.ExistsAsync(volume, cancellationToken), true).ConfigureAwait(false);
        if (await CreateNamedAsync(parameters, cancellationToken).ConfigureAwait(false) is not { } id)
            return false;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            return await FillAndStartAsync(id, files, cancellationToken).ConfigureAwait(false) && await _wait.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            await CleanUpAsync(id, hadVolume ? null : volume, exception is OperationCanceledException).ConfigureAwait(false);
            throw;
        }
    }

    /// <returns>False where it was removed.</returns>
    private async Task<bool> TakeUpAsync(ContainerInspectResponse found, CancellationToken cancellationToken)
    {
        switch (found.State.Status)
        {
            case "created":
                return await TakeUpCreatedAsync(cancellationToken).ConfigureAwait(false);
            case "removing":
                await WhileAsync("removing", OthersRemovalLimit, cancellationToken).ConfigureAwait(false);
                return false;
            case "paused":
                throw DockerContainerErrors.BootFailed(node, "is paused.", $"Let it go on: docker unpause {_container}");
            case "dead":
                throw DockerContainerErrors.BootFailed(node, "is dead: its Engine could not remove it.", $"Remove it: docker rm --force {_container}");
            case "exited":
                return await StepAsync($"starting container {_container}", () => StartStoppedAsync(NoFiles, cancellationToken)).ConfigureAwait(false);
            default:
                return await FindAnsweringAsync(found, cancellationToken).ConfigureAwait(false)
                    || await StepAsync($"starting container {_container}", () => _wait.RunAsync(cancellationToken)).ConfigureAwait(false);
        }
    }

    private async Task<bool> TakeUpCreatedAsync(CancellationToken cancellationToken)
    {
        var state = await WhileAsync("created", OthersStartLimit, cancellationToken).ConfigureAwait(false);
        if (state?.Status != "created")
            return false;
        return await StepAsync($"starting container {_container}", async () =>
        {
            var files = await FilesAsync(DockerContainerOptions.Read(node.Node.DriverOptions), cancellationToken).ConfigureAwait(false);
            return await StartStoppedAsync(files, cancellationToken).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    /// <summary>Whether the daemon of a container that runs answers, or has answered since the container was started.</summary>
    private async Task<bool> FindAnsweringAsync(ContainerInspectResponse found, CancellationToken cancellationToken)
    {
        if (found.State.Status == "restarting")
            return false;
        if (Answered.TryGetValue(found.ID, out var startedAt) && startedAt == found.State.StartedAt)
            return true;
        if (!await _wait.AnswersAsync(cancellationToken).ConfigureAwait(false))
            return false;
        Answered[found.ID] = found.State.StartedAt;
        return true;
    }

    /// <summary>Starts a container that was there and did not run.</summary>
    /// <returns>False where it was removed.</returns>
    private async Task<bool> StartStoppedAsync(IReadOnlyDictionary<string, byte[]> files, CancellationToken cancellationToken)
    {
        try
        {
            return await FillAndStartAsync(_container, files, cancellationToken).ConfigureAwait(false) && await _wait.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // It did not run before, and would be restarted for ever.
            await QuietlyAsync(async stop =>
            {
                if (exception is not OperationCanceledException || !await IsUsedByOthersAsync(_container, stop).ConfigureAwait(false))
                    await engine.Containers.StopContainerAsync(_container, stop).ConfigureAwait(false);
            }).ConfigureAwait(false);
            throw;
        }
    }

    private async Task PullAsync(string image, CancellationToken cancellationToken)
    {
        var step = $"pulling image {image}";
        var result = await StepAsync(step, () => ImagePull.RunAsync(
            engine, image, null, ImagePullPolicy.Newer, node.Config, new LayerProgress(step, progress), cancellationToken)).ConfigureAwait(false);
        if (result.Warning is { } warning)
            await StepAsync(warning, () => Task.FromResult(true)).ConfigureAwait(false);
    }

    private async Task<IReadOnlyDictionary<string, byte[]>> FilesAsync(DockerContainerOptions options, CancellationToken cancellationToken)
    {
        if (!options.AddsGithubContext || await GithubActionsContext.ReadAsync(Environment.GetEnvironmentVariable, cancellationToken).ConfigureAwait(false) is not { } workflow)
            return node.Node.Files;
        return new Dictionary<string, byte[]>(node.Node.Files) { [GithubActionsContext.FileName] = workflow };
    }

    /// <summary>Whether the Engine can give a container GPUs. No call tells: a container that asks for them has to be started.</summary>
    private async Task<bool> HasGpusAsync(string image, CancellationToken cancellationToken)
    {
        var trial = new CreateContainerParameters
        {
            Image = image,
            Entrypoint = ["/bin/true"],
            HostConfig = new HostConfig { NetworkMode = "none", AutoRemove = true, DeviceRequests = DockerContainerSpec.AllGpus },
        };
        if (await UnlessRefusedAsync<string?>(async () => await CreateContainerAsync(null, trial, cancellationToken).ConfigureAwait(false), null).ConfigureAwait(false) is not { } id)
            return false;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            await engine.Containers.StartContainerAsync(id, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (DockerApiException)
        {
            return false;
        }
        finally
        {
            await QuietlyAsync(stop => engine.Containers.RemoveContainerAsync(id, stop)).ConfigureAwait(false);
        }
    }

    private async Task<string> CreateContainerAsync(string? name, CreateContainerParameters parameters, CancellationToken cancellationToken)
    {
        using var lastAnswer = new CancellationTokenSource();
        using var cancelled = cancellationToken.Register(() => lastAnswer.CancelAfter(LastAnswerLimit));
        return await engine.Containers.CreateContainerAsync(name, parameters, lastAnswer.Token).ConfigureAwait(false);
    }

    /// <returns>The container's id; null where the name is taken.</returns>
    private async Task<string?> CreateNamedAsync(CreateContainerParameters parameters, CancellationToken cancellationToken)
    {
        try
        {
            return await CreateContainerAsync(_container, parameters, cancellationToken).ConfigureAwait(false);
        }
        catch (DockerApiException exception) when (exception.StatusCode == HttpStatusCode.Conflict)
        {
            return null;
        }
        catch (DockerApiException exception)
        {
            throw DockerContainerErrors.Refused(node, exception);
        }
    }

    /// <returns>False where the container was removed meanwhile.</returns>
    private async Task<bool> FillAndStartAsync(string id, IReadOnlyDictionary<string, byte[]> files, CancellationToken cancellationToken)
    {
        try
        {
            if (files.Count > 0)
                await engine.Containers.ExtractArchiveToContainerAsync(id, "/", DockerContainerFiles.ToArchive(files), cancellationToken).ConfigureAwait(false);
            await engine.Containers.StartContainerAsync(id, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (DockerApiException exception)
        {
            // What is not found may also be a network, or the folder to unpack in.
            if (exception.StatusCode == HttpStatusCode.NotFound && await engine.Containers.InspectContainerAsync(id, cancellationToken).ConfigureAwait(false) is null)
                return false;
            throw DockerContainerErrors.Refused(node, exception);
        }
    }

    /// <summary>Removes what this boot made.</summary>
    /// <param name="id">The container.</param>
    /// <param name="volume">The volume that came with it; null where it was there before.</param>
    /// <param name="isCancelled">Whether nothing is wrong with the container but that nobody waits for it here.</param>
    private Task CleanUpAsync(string id, string? volume, bool isCancelled) => QuietlyAsync(async stop =>
    {
        if (isCancelled && await IsUsedByOthersAsync(id, stop).ConfigureAwait(false))
            return;
        await engine.Containers.RemoveContainerAsync(id, stop).ConfigureAwait(false);
        if (volume is not null)
            await engine.Volumes.RemoveAsync(volume, stop).ConfigureAwait(false);
    });

    /// <summary>Whether somebody else's command runs in the container; ours may take a while to end.</summary>
    private async Task<bool> IsUsedByOthersAsync(string id, CancellationToken cancellationToken)
    {
        var found = await engine.Containers.InspectContainerAsync(id, cancellationToken).ConfigureAwait(false);
        foreach (var command in (found?.ExecIDs ?? []).Except(_wait.ExecIDs))
        {
            if (await engine.Exec.IsRunningAsync(command, cancellationToken).ConfigureAwait(false))
                return true;
        }
        return false;
    }

    /// <summary>Waits for somebody else to go on with the container.</summary>
    /// <returns>Its state then, or at the limit; null where it is gone.</returns>
    private async Task<ContainerState?> WhileAsync(string status, TimeSpan limit, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var state = (await engine.Containers.InspectContainerAsync(_container, cancellationToken).ConfigureAwait(false))?.State;
            if (state?.Status != status || clock.Elapsed > limit)
                return state;
            await Task.Delay(Poll, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Asks the Engine for what a boot can do without.</summary>
    private static async Task<T> UnlessRefusedAsync<T>(Func<Task<T>> ask, T otherwise)
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (DockerApiException)
        {
            return otherwise;
        }
    }

    /// <summary>Does what can be done to leave nothing behind; why there was something to leave is the error that counts.</summary>
    private static async Task QuietlyAsync(Func<CancellationToken, Task> work)
    {
        using var limit = new CancellationTokenSource(CleanUpLimit);
        try
        {
            await work(limit.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is BuildKitException or OperationCanceledException)
        {
        }
    }

    private async Task<T> StepAsync<T>(string step, Func<Task<T>> work)
    {
        progress.Report(new BuilderBootEvent(step));
        try
        {
            var result = await work().ConfigureAwait(false);
            progress.Report(new BuilderBootEvent(step, IsCompleted: true));
            return result;
        }
        catch (Exception exception)
        {
            progress.Report(new BuilderBootEvent(step, IsCompleted: true, Error: exception is OperationCanceledException ? "context canceled" : exception.Message));
            throw;
        }
    }

    private sealed class LayerProgress(string step, IProgress<BuilderBootEvent> progress) : IProgress<ImagePullEvent>
    {
        public void Report(ImagePullEvent value) => progress.Report(new BuilderBootEvent(step, Layer: value));
    }
}
