namespace BuildKit.Tests.Solve.Progress;

/// <summary>A clock that stands still until it is told to go on.</summary>
internal sealed class ManualClock : TimeProvider
{
    public static readonly DateTimeOffset Origin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public DateTimeOffset Now { get; set; } = Origin;

    public override DateTimeOffset GetUtcNow() => Now;
}
