using BuildKit.Grpc;
using BuildKit.Oci;
using BuildKit.Protocol.Content;
using Google.Protobuf.WellKnownTypes;
using Status = BuildKit.Grpc.Status;

namespace BuildKit.Session.Content;

/// <summary>One call of <c>Content/Write</c>: each message is answered before the next one is sent (containerd contentserver, content/proxy).</summary>
internal static class ContentWrite
{
    public static async Task RunAsync(
        ContentStore store, IAsyncStreamReader<ContentWriteRequest> requests, IServerStreamWriter<WriteContentResponse> responses, CancellationToken cancellationToken)
    {
        ContentIngest? ingest = null;
        try
        {
            while (await requests.MoveNext(cancellationToken).ConfigureAwait(false))
            {
                using var request = requests.Current;
                ingest ??= Begin(store, request);
                var response = Serve(store, ingest, request);
                if (request.Action == WriteAction.Commit)
                    ingest = null;
                await responses.WriteAsync(response, cancellationToken).ConfigureAwait(false);
                if (request.Action == WriteAction.Commit)
                    return;
            }
        }
        finally
        {
            if (ingest is not null)
                store.Release(ingest);
        }
    }

    private static ContentIngest Begin(ContentStore store, in ContentWriteRequest request)
    {
        if (request.Ref.Length == 0)
            throw new RpcException(new Status(StatusCode.InvalidArgument, "first message must have a reference"));
        var expected = ReadExpected(request);
        if (expected is { } digest)
            store.RefuseExisting(digest, request.Total);
        return store.Begin(request.Ref, request.Total, expected);
    }

    private static WriteContentResponse Serve(ContentStore store, ContentIngest ingest, in ContentWriteRequest request)
    {
        ingest.Expected = ReadExpected(request) ?? ingest.Expected;
        if (request.Total > 0)
            ingest.Total = request.Total;

        var response = new WriteContentResponse { Action = request.Action };
        if (request.Action == WriteAction.Stat)
        {
            response.StartedAt = ingest.StartedAt.ToTimestamp();
            response.UpdatedAt = ingest.UpdatedAt.ToTimestamp();
            response.Total = ingest.Total;
        }
        else
        {
            Write(ingest, request);
            if (request.Action == WriteAction.Commit)
                response.Digest = store.Commit(ingest).ToString();
        }
        response.Offset = ingest.Offset;
        return response;
    }

    private static void Write(ContentIngest ingest, in ContentWriteRequest request)
    {
        if (request.Offset > 0 && request.Offset != ingest.Offset)
            throw new RpcException(new Status(StatusCode.OutOfRange, $"write @{request.Offset} must occur at current offset {ingest.Offset}"));
        // An offset of 0 begins anew, except that it is also what a message has that names none.
        if (request.Offset == 0 && ingest.Offset > 0)
            ingest.Restart();
        ingest.Append(request.Data.Span);
    }

    private static OciDigest? ReadExpected(in ContentWriteRequest request)
    {
        if (request.Expected.Length == 0)
            return null;
        return OciDigest.TryParse(request.Expected, out var digest)
            ? digest
            : throw new RpcException(new Status(StatusCode.InvalidArgument, $"\"{request.Expected}\" failed validation"));
    }
}
