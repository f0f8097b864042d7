using BuildKit.Solve;

namespace BuildKit.Module.Commands;

/// <summary>Hands a build's events to the pipeline's thread.</summary>
internal sealed class SolveEvents(PipelinePump pump, Action<SolveEvent> show) : IProgress<SolveEvent>
{
    public void Report(SolveEvent value) => pump.Post(() => show(value));
}
