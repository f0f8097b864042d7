using System.Buffers;
using BuildKit.Grpc;
using BuildKit.Session.Upload;
using BuildKit.Tests.Grpc;
using Google.Protobuf;
using Xunit;

namespace BuildKit.Tests.Session.Upload;

public sealed class UploadServiceTests
{
    private static readonly Marshaller<byte[]> Raw = new(static bytes => bytes.Length, static (bytes, writer) => writer.Write(bytes), static data => data.ToArray());

    private static async Task<byte[]> PullAsync(ServerTestChannel channel, string path)
    {
        using var call = channel.Channel.AsyncDuplexStreamingCall(
            new Method<byte[], byte[]>(MethodType.DuplexStreaming, "moby.upload.v1.Upload", "Pull", Raw, Raw),
            new CallOptions(new Metadata { { "urlpath", path }, { "urlhost", "buildkit-session" } }));
        using var content = new MemoryStream();
        await foreach (var message in call.ResponseStream.ReadAllAsync())
        {
            var input = new CodedInputStream(message);
            Assert.Equal(10u, input.ReadTag());
            content.Write(input.ReadBytes().Span);
        }
        return content.ToArray();
    }

    [Fact]
    public async Task Each_stream_is_read_once_by_its_address()
    {
        await using var service = new UploadService();
        var bytes = new byte[1_000_000];
        Random.Shared.NextBytes(bytes);
        var first = new Uri(service.Add(new MemoryStream(bytes)));
        var second = new Uri(service.Add(new MemoryStream([1, 2, 3])));
        await using var channel = new ServerTestChannel(service.Definition);

        Assert.Equal("buildkit-session", first.Host);
        Assert.Equal(bytes, await PullAsync(channel, first.AbsolutePath));
        Assert.Equal([1, 2, 3], await PullAsync(channel, second.AbsolutePath));
        foreach (var path in new[] { first.AbsolutePath, "/other", "" })
            Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => PullAsync(channel, path))).StatusCode);
        Assert.Null(service.FailureBehind("anything"));
    }

    [Fact]
    public async Task The_stream_is_read_no_faster_than_the_daemon_takes_it()
    {
        await using var service = new UploadService();
        var endless = new EndlessStream();
        var address = new Uri(service.Add(endless));
        await using var channel = new ServerTestChannel(service.Definition);
        using var call = channel.Channel.AsyncDuplexStreamingCall(
            new Method<byte[], byte[]>(MethodType.DuplexStreaming, "moby.upload.v1.Upload", "Pull", Raw, Raw),
            new CallOptions(new Metadata { { "urlpath", address.AbsolutePath } }));
        Assert.True(await call.ResponseStream.MoveNext(default));
        // What fits into the windows of the connection, and not more.
        var before = -1L;
        for (; before != endless.Read; await Task.Delay(200))
        {
            before = endless.Read;
            Assert.InRange(before, 1, 64L << 20);
        }
    }

    private sealed class EndlessStream : MemoryStream
    {
        private long _read;

        public new long Read => Volatile.Read(ref _read);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Interlocked.Add(ref _read, buffer.Length);
            return ValueTask.FromResult(buffer.Length);
        }
    }
}
