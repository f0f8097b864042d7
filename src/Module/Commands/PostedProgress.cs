namespace BuildKit.Module.Commands;

/// <summary>Hands news of work to the pipeline's thread.</summary>
/// <param name="pump">Brings it there.</param>
/// <param name="show">Takes it there.</param>
internal sealed class PostedProgress<T>(PipelinePump pump, Action<T> show) : IProgress<T>
{
    public void Report(T value) => pump.Post(() => show(value));
}
