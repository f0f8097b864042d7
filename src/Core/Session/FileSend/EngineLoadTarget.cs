using System.Buffers;
using System.IO.Pipelines;
using BuildKit.Docker;
using BuildKit.Grpc;

namespace BuildKit.Session.FileSend;

/// <summary>
/// A Docker Engine's image store as the destination of a <c>docker</c> or <c>oci</c> exporter: the bytes go straight into <c>POST /images/load</c>. The end mark of the archive is
/// held back until the build has succeeded, because an Engine may put the image into its store as soon as it has seen that; a request that ends before it loads nothing.
/// </summary>
/// <param name="engine">The Engine's name or address.</param>
/// <param name="images">Its image store; the caller keeps the connection open.</param>
/// <param name="progress">Is told of the import, once the daemon has done its part.</param>
internal sealed class EngineLoadTarget(string engine, ImageOperations images, IImageLoadProgress progress) : ExportTarget($"the images of the Docker Engine '{engine}'")
{
    // Two blocks of zeros (POSIX.1-2017 pax, "ustar Interchange Format").
    private const int EndMarkBytes = 1024;

    // Every flush becomes a chunk of the request, and the daemon's pieces are small.
    private const int FlushBytes = 128 << 10;

    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 1 << 20, resumeWriterThreshold: 1 << 19, minimumSegmentSize: FlushBytes, useSynchronizationContext: false));
    private readonly CancellationTokenSource _stop = new();
    private readonly byte[] _tail = new byte[EndMarkBytes];
    private int _tailLength;
    private int _unflushed;
    private int _calls;
    private Task<IReadOnlyList<string>>? _load;
    private volatile bool _complete;

    /// <summary>The Engine's name or address.</summary>
    public string Engine => engine;

    /// <summary>The names, or ids where they have none, of the images that were loaded; empty before that.</summary>
    public IReadOnlyList<string> LoadedNames { get; private set; } = [];

    public override async ValueTask CommitAsync(CancellationToken cancellationToken)
    {
        if (!_complete)
            throw ExportErrors.Incomplete(Destination, _calls == 0
                ? "the daemon said that the build succeeded, but it sent nothing"
                : "the daemon said that the build succeeded, but did not send everything");
        Exception? failure = null;
        progress.Start();
        try
        {
            _pipe.Writer.Write(_tail.AsSpan(0, _tailLength));
            await _pipe.Writer.CompleteAsync().ConfigureAwait(false);
            LoadedNames = await FinishAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            failure = e;
            throw;
        }
        finally
        {
            progress.End(failure);
        }
    }

    protected override async Task ReceiveCoreAsync(
        IAsyncStreamReader<FileSendMessage> requests, IServerStreamWriter<FileSendReply> replies, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _calls) != 1)
            throw ExportErrors.Protocol(Destination, "it sent the same output twice");
        _load = images.LoadImageAsync(SendAsync, progress, _stop.Token);
        await BytesReceiver.ReceiveAsync(requests, Destination, WriteAsync, cancellationToken).ConfigureAwait(false);
        _complete = true;
    }

    protected override async ValueTask CleanUpAsync()
    {
        // The request is cut off, not ended: what the Engine has of an archive without its end is thrown away there.
        await _stop.CancelAsync().ConfigureAwait(false);
        await _pipe.Writer.CompleteAsync(new OperationCanceledException()).ConfigureAwait(false);
        if (_load is not null)
            await ((Task)_load).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task SendAsync(Stream body, CancellationToken cancellationToken)
    {
        try
        {
            await _pipe.Reader.CopyToAsync(body, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await _pipe.Reader.CompleteAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        CountBytes(data.Length);
        // What is certainly not the end goes on; the rest stays.
        var fromTail = Math.Clamp(_tailLength + data.Length - EndMarkBytes, 0, _tailLength);
        var fromData = Math.Max(0, data.Length - EndMarkBytes);
        _pipe.Writer.Write(_tail.AsSpan(0, fromTail));
        _pipe.Writer.Write(data.Span[..fromData]);
        _unflushed += fromTail + fromData;
        _tail.AsSpan(fromTail, _tailLength - fromTail).CopyTo(_tail);
        _tailLength -= fromTail;
        data.Span[fromData..].CopyTo(_tail.AsSpan(_tailLength));
        _tailLength += data.Length - fromData;
        if (_unflushed >= FlushBytes)
            await FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        _unflushed = 0;
        // An Engine may end the load while the pipe is full, and then nobody reads on.
        var flush = _pipe.Writer.FlushAsync(cancellationToken).AsTask();
        if (await Task.WhenAny(flush, _load!).ConfigureAwait(false) == flush && !(await flush.ConfigureAwait(false)).IsCompleted)
            return;
        await FinishAsync(cancellationToken).ConfigureAwait(false);
        throw Failed("it ended the load before it had the whole archive", null);
    }

    private async Task<IReadOnlyList<string>> FinishAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _load!.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (BuildKitException e)
        {
            throw Failed(e.Message.TrimEnd('.'), e);
        }
    }

    private ExportException Failed(string why, BuildKitException? inner) =>
        new(inner?.ErrorId ?? ImageOperations.LoadFailedId, inner?.Category ?? BuildKitErrorCategory.Protocol, $"The Docker Engine '{engine}' did not load the image: {why}.",
            (inner?.ErrorId == ImageOperations.LoadFailedId ? null : inner?.RecommendedAction) ?? "See what the Engine's log says, load into another Engine with -LoadInto, or write a file with -Output type=oci,dest=image.tar.", inner)
        { Target = engine };
}
