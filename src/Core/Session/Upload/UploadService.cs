using System.Buffers;
using BuildKit.Grpc;

namespace BuildKit.Session.Upload;

/// <summary>
/// <c>moby.upload.v1.Upload</c>: streams on this side that the daemon reads as if they were web pages, each once (buildkit session/upload, uploadprovider).
/// The streams belong to the caller.
/// </summary>
internal sealed class UploadService : ISessionService
{
    private const string Host = "http://buildkit-session/";
    private const string UrlPathKey = "urlpath";
    private const int Chunk = 256 * 1024;

    private static readonly Method<bool, ReadOnlyMemory<byte>> PullMethod =
        new(MethodType.DuplexStreaming, "moby.upload.v1.Upload", "Pull", BytesMessageMarshaller.Reader(static _ => true), BytesMessageMarshaller.Writer);

    private readonly Dictionary<string, Stream> _streams = new(StringComparer.Ordinal);
    private BuildKitException? _failure;

    public UploadService() => Definition = new ServerServiceDefinition().AddMethod(PullMethod, PullAsync);

    public ServerServiceDefinition Definition { get; }

    /// <summary>Adds a stream, before the session is opened.</summary>
    /// <returns>The address by which the daemon reads it.</returns>
    public string Add(Stream stream)
    {
        var id = Identifier.New();
        _streams.Add(id, stream);
        return Host + id;
    }

    /// <inheritdoc/>
    public BuildKitException? FailureBehind(string message) => Volatile.Read(ref _failure);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task PullAsync(IAsyncStreamReader<bool> requests, IServerStreamWriter<ReadOnlyMemory<byte>> responses, ServerCallContext context)
    {
        var name = (context.RequestHeaders.GetValue(UrlPathKey) ?? string.Empty).Split('/')[^1];
        Stream? stream;
        lock (_streams)
        {
            if (!_streams.Remove(name, out stream))
                throw new RpcException(new Status(StatusCode.NotFound, $"no http response from session for {name}"));
        }

        var buffer = ArrayPool<byte>.Shared.Rent(Chunk);
        while (await ReadAsync(stream, buffer, context.CancellationToken).ConfigureAwait(false) is var read and > 0)
            await responses.WriteAsync(buffer.AsMemory(0, read), context.CancellationToken).ConfigureAwait(false);
        // Not after a failure: a read that could not be cancelled may still write into it.
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private async Task<int> ReadAsync(Stream stream, byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            // Some streams, a console's for one, know no cancellation; the build must not wait for them.
            return await stream.ReadAsync(buffer, cancellationToken).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            var failure = new BuildKitException(
                "BuildKit.ContextUnreadable", BuildKitErrorCategory.InputOutput, $"The archive that stands for the context can't be read: {e.Message}",
                "Check where it comes from, and build again.", e);
            Interlocked.CompareExchange(ref _failure, failure, null);
            throw new RpcException(new Status(StatusCode.Unknown, failure.Message), innerException: e);
        }
    }
}
