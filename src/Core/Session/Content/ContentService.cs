using System.Buffers;
using BuildKit.Grpc;
using BuildKit.Oci;
using BuildKit.Protocol.Content;
using BuildKit.Session.FileSend;
using Google.Protobuf.WellKnownTypes;
using Method = BuildKit.Grpc.Method;
using Status = BuildKit.Grpc.Status;

namespace BuildKit.Session.Content;

/// <summary>
/// <c>containerd.services.content.v1.Content</c>: layout directories on this side that the daemon reads and writes (buildkit session/content, containerd contentserver).
/// <c>Update</c> and <c>Delete</c> are not served: no daemon is to change or remove what is here already.
/// </summary>
internal sealed class ContentService : ISessionService
{
    private const string StoreIdKey = "buildkit-attachable-store-id";
    private const string ServiceName = "containerd.services.content.v1.Content";
    private const int ReadChunk = 256 * 1024;
    private const int ListChunk = 100;
    private const int MostFailures = 32;

    private readonly Dictionary<string, ContentStore> _stores = new(StringComparer.Ordinal);
    private readonly List<BuildKitException> _failures = [];

    public ContentService()
    {
        Definition = new ServerServiceDefinition()
            .AddMethod(Method.Protobuf<InfoRequest, InfoResponse>(MethodType.Unary, ServiceName, "Info"), (InfoRequest request, ServerCallContext context) =>
                Task.FromResult(new InfoResponse { Info = Info(Choose(context), request.Digest) }))
            .AddMethod(Method.Protobuf<ListContentRequest, ListContentResponse>(MethodType.ServerStreaming, ServiceName, "List"), ListAsync)
            .AddMethod(
                new Method<ReadContentRequest, ContentReadResponse>(
                    MethodType.ServerStreaming, ServiceName, "Read", Marshallers.Protobuf<ReadContentRequest>(), ContentReadResponse.Marshaller),
                ReadAsync)
            .AddMethod(Method.Protobuf<StatusRequest, StatusResponse>(MethodType.Unary, ServiceName, "Status"), (StatusRequest request, ServerCallContext context) =>
                Task.FromResult(new StatusResponse { Status = StatusOf(Choose(context), request.Ref) }))
            .AddMethod(
                Method.Protobuf<ListStatusesRequest, ListStatusesResponse>(MethodType.Unary, ServiceName, "ListStatuses"),
                (ListStatusesRequest request, ServerCallContext context) => Task.FromResult(ListStatuses(request, Choose(context))))
            .AddMethod(
                new Method<ContentWriteRequest, WriteContentResponse>(
                    MethodType.DuplexStreaming, ServiceName, "Write", ContentWriteRequest.Marshaller, Marshallers.Protobuf<WriteContentResponse>()),
                WriteAsync)
            .AddMethod(Method.Protobuf<AbortRequest, Empty>(MethodType.Unary, ServiceName, "Abort"), (AbortRequest request, ServerCallContext context) =>
            {
                Choose(context).Abort(request.Ref);
                return Task.FromResult(new Empty());
            });
    }

    public ServerServiceDefinition Definition { get; }

    /// <summary>Adds a store, before the session is opened. The service owns it.</summary>
    /// <param name="id">What the daemon asks for it by, in printable ASCII.</param>
    /// <param name="store">The store.</param>
    public void Add(string id, ContentStore store) => _stores.Add(id, store);

    /// <summary>The store that was added with an id, or null.</summary>
    public ContentStore? Find(string id) => _stores.GetValueOrDefault(id);

    /// <inheritdoc/>
    public BuildKitException? FailureBehind(string message)
    {
        lock (_failures)
            return _failures.Find(failure => message.Contains(failure.Message, StringComparison.Ordinal));
    }

    public ValueTask DisposeAsync()
    {
        foreach (var store in _stores.Values)
            store.Dispose();
        return ValueTask.CompletedTask;
    }

    // Of several ids the first is the caller's own (buildkit session/content/caller.go).
    private ContentStore Choose(ServerCallContext context)
    {
        var id = context.RequestHeaders.GetAll(StoreIdKey).FirstOrDefault()?.Value
            ?? throw new RpcException(new Status(StatusCode.InvalidArgument, $"request lacks metadata \"{StoreIdKey}\""));
        return _stores.GetValueOrDefault(id) ?? throw new RpcException(new Status(StatusCode.NotFound, $"unknown store {id}"));
    }

    private Info Info(ContentStore store, string digest) => ToInfo(Parse(digest), Demand(store, Parse(digest)));

    private static Info ToInfo(OciDigest digest, FileInfo file) => new()
    {
        Digest = digest.ToString(),
        Size = file.Length,
        CreatedAt = file.LastWriteTimeUtc.ToTimestamp(),
        UpdatedAt = file.LastAccessTimeUtc.ToTimestamp(),
    };

    private async Task ListAsync(ListContentRequest request, IServerStreamWriter<ListContentResponse> responses, ServerCallContext context)
    {
        RefuseFilters(request.Filters);
        foreach (var chunk in Choose(context).List().Chunk(ListChunk))
            await responses.WriteAsync(new ListContentResponse { Info = { chunk.Select(blob => ToInfo(blob.Digest, blob.File)) } }, context.CancellationToken).ConfigureAwait(false);
    }

    private async Task ReadAsync(ReadContentRequest request, IServerStreamWriter<ContentReadResponse> responses, ServerCallContext context)
    {
        var store = Choose(context);
        var file = Demand(store, Parse(request.Digest));
        var buffer = ArrayPool<byte>.Shared.Rent(ReadChunk);
        try
        {
            using var handle = File.OpenHandle(file.FullName);
            var length = RandomAccess.GetLength(handle);
            var start = Math.Max(request.Offset, 0);
            if (start > length)
                throw new RpcException(new Status(StatusCode.OutOfRange, $"read past object length {length} bytes"));
            // The size is how much is wanted, which may be more than there is.
            var end = request.Size <= 0 || request.Size > length - start ? length : start + request.Size;
            for (var at = start; at < end;)
            {
                var read = RandomAccess.Read(handle, buffer.AsSpan(0, (int)Math.Min(ReadChunk, end - at)), at);
                if (read == 0)
                    throw new RpcException(new Status(StatusCode.DataLoss, $"the blob {request.Digest} became shorter while it was read"));
                await responses.WriteAsync(new ContentReadResponse(at - start, buffer.AsMemory(0, read)), context.CancellationToken).ConfigureAwait(false);
                at += read;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Keep(OciErrors.From(store.Layout.Path, e), StatusCode.Unknown);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task WriteAsync(IAsyncStreamReader<ContentWriteRequest> requests, IServerStreamWriter<WriteContentResponse> responses, ServerCallContext context)
    {
        try
        {
            await ContentWrite.RunAsync(Choose(context), requests, responses, context.CancellationToken).ConfigureAwait(false);
        }
        catch (ExportException e)
        {
            throw Keep(e, e.ErrorId == "BuildKit.OutputDiskFull" ? StatusCode.ResourceExhausted : StatusCode.Unknown);
        }
    }

    private static Protocol.Content.Status StatusOf(ContentStore store, string reference) => ToStatus(
        store.Ingests().FirstOrDefault(ingest => ingest.Ref == reference)
        ?? throw new RpcException(new Status(StatusCode.NotFound, $"could not get status for ref \"{reference}\": not found")));

    private static ListStatusesResponse ListStatuses(ListStatusesRequest request, ContentStore store)
    {
        RefuseFilters(request.Filters);
        return new ListStatusesResponse { Statuses = { store.Ingests().Select(ToStatus) } };
    }

    private static Protocol.Content.Status ToStatus(ContentIngest ingest) => new()
    {
        Ref = ingest.Ref,
        Offset = ingest.Offset,
        Total = ingest.Total,
        Expected = ingest.Expected?.ToString() ?? string.Empty,
        StartedAt = ingest.StartedAt.ToTimestamp(),
        UpdatedAt = ingest.UpdatedAt.ToTimestamp(),
    };

    // No daemon asks a session with filters; an answer that ignores them would be wrong.
    private static void RefuseFilters(IEnumerable<string> filters)
    {
        if (filters.Any())
            throw new RpcException(new Status(StatusCode.Unimplemented, "filters are not supported"));
    }

    private static OciDigest Parse(string text) =>
        OciDigest.TryParse(text, out var digest) ? digest : throw new RpcException(new Status(StatusCode.InvalidArgument, $"\"{text}\" failed validation"));

    // A store that is written to is asked for what it lacks all the time; one that is only read should have what its index names.
    private FileInfo Demand(ContentStore store, OciDigest digest)
    {
        if (store.Find(digest) is { } file)
            return file;
        if (store.IsWritable)
            throw new RpcException(new Status(StatusCode.NotFound, $"content {digest}: not found"));
        throw Keep(OciErrors.BlobNotFound(store.Layout.Path, digest), StatusCode.NotFound);
    }

    private RpcException Keep(BuildKitException failure, StatusCode code)
    {
        lock (_failures)
        {
            if (_failures.Count < MostFailures)
                _failures.Add(failure);
        }
        return new RpcException(new Status(code, failure.Message), innerException: failure);
    }
}
