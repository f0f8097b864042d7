using System.IO.Pipelines;
using BuildKit.Builders;

namespace BuildKit.Oci.Copying;

/// <summary>A Docker Engine, which loads an archive while it is written. It names the image when the archive has ended.</summary>
internal sealed class EngineCopyTarget : OciCopyTarget
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 4 << 20, resumeWriterThreshold: 2 << 20, useSynchronizationContext: false));
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _answered = new();
    private readonly Stream _archive;
    private readonly OciArchiveWriter _writer;
    private readonly Task<IReadOnlyList<string>> _loading;

    /// <param name="engine">The Engine; stays the caller's.</param>
    public EngineCopyTarget(BuildKitConnection engine)
    {
        _archive = _pipe.Writer.AsStream(leaveOpen: true);
        _writer = new OciArchiveWriter(_archive, forDocker: true);
        _loading = LoadAsync(engine);
    }

    public override bool TakesSeveral => false;

    public override Task<OciCopyState> PutBlobAsync(OciDescriptor blob, OciContentSource source, Action<long> progress, CancellationToken cancellationToken) =>
        WriteAsync(token => _writer.AddBlobAsync(blob, source, progress, token), cancellationToken);

    public override async Task FinishAsync(OciCopyPlan plan, CancellationToken cancellationToken)
    {
        await WriteAsync(
            async token =>
            {
                await _writer.FinishAsync(plan, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
        await _pipe.Writer.CompleteAsync().ConfigureAwait(false);
        using (cancellationToken.Register(_stop.Cancel))
            await _loading.ConfigureAwait(false);
    }

    public override async ValueTask DisposeAsync()
    {
        // An archive without its end is never loaded: what the Engine has of it, it throws away.
        await _stop.CancelAsync().ConfigureAwait(false);
        try
        {
            await _loading.ConfigureAwait(false);
        }
        catch (Exception e) when (e is BuildKitException or OperationCanceledException)
        {
        }
        await _pipe.Writer.CompleteAsync().ConfigureAwait(false);
        await _archive.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
        _answered.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<string>> LoadAsync(BuildKitConnection engine)
    {
        try
        {
            return await engine.Engine!.Images.LoadImageAsync((stream, token) => _pipe.Reader.CopyToAsync(stream, token), null, _stop.Token).ConfigureAwait(false);
        }
        finally
        {
            // Nobody reads any more: what is being written need not be written to its end.
            await _answered.CancelAsync().ConfigureAwait(false);
            await _pipe.Reader.CompleteAsync().ConfigureAwait(false);
        }
    }

    private async Task<T> WriteAsync<T>(Func<CancellationToken, Task<T>> write, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _answered.Token);
        try
        {
            return await write(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // An Engine that answers before the archive has ended says why.
            await _loading.ConfigureAwait(false);
            throw;
        }
    }
}
