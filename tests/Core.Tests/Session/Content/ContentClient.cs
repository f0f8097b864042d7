using System.Buffers;
using BuildKit.Grpc;
using BuildKit.Protocol.Content;
using BuildKit.Session.Content;
using BuildKit.Tests.Grpc;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Xunit;
using Method = BuildKit.Grpc.Method;

namespace BuildKit.Tests.Session.Content;

/// <summary>The daemon's side of a content service (containerd content/proxy), over a connection in memory.</summary>
internal sealed class ContentClient : IAsyncDisposable
{
    private const string Service = "containerd.services.content.v1.Content";

    private static readonly Marshaller<byte[]> Raw = new(static bytes => bytes.Length, static (bytes, writer) => writer.Write(bytes), static data => data.ToArray());

    private readonly ContentService _service;
    private readonly ServerTestChannel _channel;
    private readonly string _store;

    public ContentClient(ContentService service, string store)
    {
        _service = service;
        _store = store;
        _channel = new ServerTestChannel(service.Definition);
    }

    private CallOptions Options => new(new Metadata { { "buildkit-attachable-store-id", _store } });

    public async Task<Info> InfoAsync(string digest) => (await UnaryAsync<InfoRequest, InfoResponse>("Info", new InfoRequest { Digest = digest })).Info;

    public async Task<Protocol.Content.Status> StatusAsync(string reference) =>
        (await UnaryAsync<StatusRequest, StatusResponse>("Status", new StatusRequest { Ref = reference })).Status;

    public async Task<IReadOnlyList<Protocol.Content.Status>> ListStatusesAsync() =>
        (await UnaryAsync<ListStatusesRequest, ListStatusesResponse>("ListStatuses", new ListStatusesRequest())).Statuses;

    public async Task AbortAsync(string reference) => await UnaryAsync<AbortRequest, Empty>("Abort", new AbortRequest { Ref = reference });

    public async Task<List<string>> ListAsync()
    {
        using var call = _channel.Channel.AsyncServerStreamingCall(
            Method.Protobuf<ListContentRequest, ListContentResponse>(MethodType.ServerStreaming, Service, "List"), Options, new ListContentRequest());
        var digests = new List<string>();
        await foreach (var response in call.ResponseStream.ReadAllAsync())
            digests.AddRange(response.Info.Select(info => info.Digest));
        return digests;
    }

    public async Task<byte[]> ReadAsync(string digest, long offset = 0, long size = 0)
    {
        var method = new Method<ReadContentRequest, byte[]>(MethodType.ServerStreaming, Service, "Read", Marshallers.Protobuf<ReadContentRequest>(), Raw);
        using var call = _channel.Channel.AsyncServerStreamingCall(method, Options, new ReadContentRequest { Digest = digest, Offset = offset, Size = size });
        using var content = new MemoryStream();
        await foreach (var message in call.ResponseStream.ReadAllAsync())
        {
            var input = new CodedInputStream(message);
            for (uint tag; (tag = input.ReadTag()) != 0;)
            {
                if (tag == 8)
                    Assert.Equal(content.Length, input.ReadInt64());
                else
                    content.Write(input.ReadBytes().Span);
            }
        }
        return content.ToArray();
    }

    public ContentWriter Write() => new(_channel.Channel.AsyncDuplexStreamingCall(
        new Method<byte[], WriteContentResponse>(MethodType.DuplexStreaming, Service, "Write", Raw, Marshallers.Protobuf<WriteContentResponse>()), Options));

    /// <summary>Writes a blob as the daemon does: what it expects, then the content, then the commit.</summary>
    public async Task<WriteContentResponse> WriteAsync(string reference, byte[] content, string expected)
    {
        using var writer = Write();
        var status = await writer.SendAsync(WriteAction.Stat, reference, content.Length, expected);
        var offset = status.Offset;
        foreach (var chunk in content.Chunk(64 * 1024))
            offset = (await writer.SendAsync(WriteAction.Write, offset: offset, data: chunk)).Offset;
        return await writer.SendAsync(WriteAction.Commit, total: content.Length, expected: expected, offset: offset);
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _service.DisposeAsync();
    }

    private async Task<TResponse> UnaryAsync<TRequest, TResponse>(string method, TRequest request)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        using var call = _channel.Channel.AsyncUnaryCall(Method.Protobuf<TRequest, TResponse>(MethodType.Unary, Service, method), Options, request);
        return await call;
    }
}

/// <summary>One call of <c>Write</c>.</summary>
internal sealed class ContentWriter(AsyncDuplexStreamingCall<byte[], WriteContentResponse> call) : IDisposable
{
    public async Task<WriteContentResponse> SendAsync(
        WriteAction action, string reference = "", long total = 0, string expected = "", long offset = 0, byte[]? data = null)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
        {
            output.WriteTag(1, WireFormat.WireType.Varint);
            output.WriteEnum((int)action);
            output.WriteTag(2, WireFormat.WireType.LengthDelimited);
            output.WriteString(reference);
            output.WriteTag(3, WireFormat.WireType.Varint);
            output.WriteInt64(total);
            output.WriteTag(4, WireFormat.WireType.LengthDelimited);
            output.WriteString(expected);
            output.WriteTag(5, WireFormat.WireType.Varint);
            output.WriteInt64(offset);
            output.WriteTag(6, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(data ?? []));
        }
        // A call that has ended says why when the answer is read.
        try
        {
            await call.RequestStream.WriteAsync(bytes.ToArray(), default);
        }
        catch (RpcException)
        {
        }
        return await call.ResponseStream.MoveNext(default) ? call.ResponseStream.Current : throw new InvalidOperationException("The call ended.");
    }

    public async Task CloseAsync()
    {
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(default));
    }

    public void Dispose() => call.Dispose();
}
