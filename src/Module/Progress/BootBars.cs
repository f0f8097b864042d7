using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Solve.Progress;

namespace BuildKit.Module.Progress;

/// <summary>Shows how the nodes of builders come up, one bar a node, until it is disposed.</summary>
/// <param name="writeProgress">Shows a bar; called on the pipeline's thread.</param>
/// <param name="post">Has something done on the pipeline's thread.</param>
internal sealed class BootBars(Action<ProgressRecord> writeProgress, Action<Action> post) : IDisposable
{
    private readonly WriteProgressBars _bars = new(writeProgress);
    private int _nodes;

    /// <summary>What is told of a node's boot.</summary>
    /// <param name="node">The node.</param>
    public IProgress<BuilderBootEvent> For(BuildKitNode node) => new NodeBar(this, Interlocked.Increment(ref _nodes), node.Name);

    /// <summary>Takes the bars away.</summary>
    public void Dispose()
    {
        for (var id = 1; id <= _nodes; id++)
            Show(new ProgressBar(id, string.Empty, "done", null, null, IsCompleted: true));
    }

    private void Show(ProgressBar bar) => post(() => _bars.Show(bar));

    private sealed class NodeBar(BootBars bars, int id, string node) : IProgress<BuilderBootEvent>
    {
        public void Report(BuilderBootEvent value)
        {
            var layer = value.Layer is { Layer: not null } news ? $"{news.Layer}: {news.Status}" : null;
            int? percent = value.Layer is { Total: > 0 } moving ? (int)Math.Clamp(100 * moving.Current / moving.Total, 0, 100) : null;
            bars.Show(new ProgressBar(id, $"Starting {node}", value.Error ?? value.Step, layer, percent, IsCompleted: false));
        }
    }
}
