namespace BuildKit.Solve.Progress;

/// <summary>One bar of a build's progress.</summary>
/// <param name="Id">Its identity as long as it is shown; 0 is the bar of the whole build, under which the others stand.</param>
/// <param name="Activity">What goes on: the name of the vertex.</param>
/// <param name="Status">How far it is, in a line.</param>
/// <param name="CurrentOperation">The last line that the vertex wrote, or null.</param>
/// <param name="PercentComplete">0 to 100, or null where that is not known.</param>
/// <param name="IsCompleted">Whether it is to be taken away.</param>
public sealed record ProgressBar(int Id, string Activity, string Status, string? CurrentOperation, int? PercentComplete, bool IsCompleted);
