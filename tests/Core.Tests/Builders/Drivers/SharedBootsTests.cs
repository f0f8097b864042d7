using BuildKit.Builders;
using BuildKit.Builders.Drivers;
using Xunit;

namespace BuildKit.Tests.Builders.Drivers;

public sealed class SharedBootsTests
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_host_that_shows_nothing_holds_up_only_its_own_call()
    {
        var boots = new SharedBoots();
        using var isShown = new ManualResetEventSlim();
        var isPaused = new TaskCompletionSource();
        var paused = boots.RunAsync("one", BootAsync, new Recorder<BuilderBootEvent>(_ =>
        {
            isPaused.TrySetResult();
            isShown.Wait();
        }), default);
        await isPaused.Task.WaitAsync(Guard);

        var log = new Recorder<BuilderBootEvent>();
        await Task.Run(() => boots.RunAsync("other", BootAsync, log, default)).WaitAsync(Guard);
        Assert.Equal(["first", "second"], log.Events.Select(step => step.Step));
        log = new Recorder<BuilderBootEvent>();
        await Task.Run(() => boots.RunAsync("one", BootAsync, log, default)).WaitAsync(Guard);
        Assert.Equal(["first", "second"], log.Events.Select(step => step.Step));

        Assert.False(paused.IsCompleted);
        isShown.Set();
        await paused.WaitAsync(Guard);

        static Task BootAsync(IProgress<BuilderBootEvent> progress, CancellationToken stop)
        {
            progress.Report(new BuilderBootEvent("first"));
            progress.Report(new BuilderBootEvent("second"));
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task All_who_wait_are_told_everything_in_order_and_how_it_ended()
    {
        var boots = new SharedBoots();
        var goesOn = new TaskCompletionSource();
        var logs = Enumerable.Range(0, 5).Select(_ => new Recorder<BuilderBootEvent>()).ToList();
        var waiting = logs.Select(log => boots.RunAsync("one", BootAsync, log, default)).ToList();
        goesOn.SetResult();
        foreach (var wait in waiting)
            Assert.Equal("lost", (await Assert.ThrowsAsync<IOException>(() => wait.WaitAsync(Guard))).Message);
        Assert.All(logs, log => Assert.Equal(Enumerable.Range(0, 100).Select(step => $"{step}"), log.Events.Select(step => step.Step)));

        async Task BootAsync(IProgress<BuilderBootEvent> progress, CancellationToken stop)
        {
            for (var step = 0; step < 50; step++)
                progress.Report(new BuilderBootEvent($"{step}"));
            await goesOn.Task;
            for (var step = 50; step < 100; step++)
                progress.Report(new BuilderBootEvent($"{step}"));
            throw new IOException("lost");
        }
    }
}
