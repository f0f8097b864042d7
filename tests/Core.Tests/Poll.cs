using System.Diagnostics;
using System.Runtime.CompilerServices;
using Xunit;

namespace BuildKit.Tests;

/// <summary>Waits for what a test can't be told of.</summary>
internal static class Poll
{
    /// <summary>How long anything may take that takes no time on a machine with nothing else to do.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(60);

    public static Task UntilAsync(Func<bool> happened, [CallerArgumentExpression(nameof(happened))] string what = "") =>
        UntilAsync(() => Task.FromResult(happened()), what);

    public static async Task UntilAsync(Func<Task<bool>> happened, [CallerArgumentExpression(nameof(happened))] string what = "")
    {
        for (var waited = Stopwatch.StartNew(); !await happened(); await Task.Delay(50))
            Assert.True(waited.Elapsed < Patience, $"Waited {Patience.TotalSeconds} s for {what}");
    }
}
