using System.Net;
using System.Security.Cryptography;
using BuildKit.Http2;
using Xunit;
using static BuildKit.Tests.Http2.Http2TestPeer;

namespace BuildKit.Tests.Http2;

/// <summary>The server against .NET's own HTTP/2 client, which shares no code with it.</summary>
public sealed class Http2HttpClientTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16_384)]
    [InlineData(70_000)]
    [InlineData(20_000_000)]
    public async Task Echo(int length)
    {
        await using var server = new ClientAndServer(EchoAsync);
        var body = RandomNumberGenerator.GetBytes(length);
        using var response = await server.SendAsync(new Body(body));
        Assert.Equal(HttpVersion.Version20, response.Version);
        var answer = await response.Content.ReadAsByteArrayAsync().WaitAsync(Guard);
        Assert.True(answer.AsSpan().SequenceEqual(body));
        Assert.Equal("true", response.TrailingHeaders.GetValues("the-end").Single());
    }

    [Fact]
    public async Task ManyRequestsAtOnce_WithRandomSizes_AreAllAnsweredWhole()
    {
        await using var server = new ClientAndServer(EchoAsync);
        var random = new Random(9113);
        var sizes = Enumerable.Range(0, 400).Select(_ => random.Next(4) == 0 ? random.Next(600_000) : random.Next(3_000)).ToArray();
        await Parallel.ForEachAsync(sizes, new ParallelOptions { MaxDegreeOfParallelism = 60 }, async (size, _) =>
        {
            var body = RandomNumberGenerator.GetBytes(size);
            using var response = await server.SendAsync(new Body(body));
            Assert.True((await response.Content.ReadAsByteArrayAsync(CancellationToken.None)).AsSpan().SequenceEqual(body));
        }).WaitAsync(Guard * 2);
        Assert.Equal(1, server.Connections);
    }

    [Fact]
    public async Task MoreRequestsThanTheLimit_WaitInTheClient()
    {
        await using var server = new ClientAndServer(EchoAsync, new Http2ServerOptions { MaxConcurrentStreams = 3 });
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ =>
        {
            using var response = await server.SendAsync(new Body(new byte[10_000]));
            Assert.Equal(10_000, (await response.Content.ReadAsByteArrayAsync()).Length);
        })).WaitAsync(Guard);
    }

    [Fact]
    public async Task RequestCancelledByTheClient_CancelsItsHandlerAlone()
    {
        var cancelled = new TaskCompletionSource();
        await using var server = new ClientAndServer(async stream =>
        {
            if (stream.Headers.Path == "/echo")
            {
                await EchoAsync(stream);
                return;
            }

            stream.Aborted.Register(() => cancelled.TrySetResult());
            stream.StartResponse([new(":status", "200")]);
            await stream.FlushAsync(stream.Aborted);
            await Task.Delay(Timeout.Infinite, stream.Aborted);
        });
        using (await server.SendAsync(new Body([1]), "/wait"))
            Assert.False(cancelled.Task.IsCompleted);
        await cancelled.Task.WaitAsync(Guard);
        using var response = await server.SendAsync(new Body([1, 2, 3]), "/echo");
        Assert.Equal(3, (await response.Content.ReadAsByteArrayAsync()).Length);
        Assert.Equal(1, server.Connections);
    }

    [Fact]
    public async Task HandlerThatFails_IsAnErrorForItsRequestAlone()
    {
        await using var server = new ClientAndServer(stream => stream.Headers.Path == "/echo" ? EchoAsync(stream) : throw new InvalidOperationException("no"));
        await Assert.ThrowsAsync<HttpRequestException>(() => server.SendAsync(new Body([1]), "/fail"));
        using var response = await server.SendAsync(new Body([1, 2, 3]), "/echo");
        Assert.Equal(3, (await response.Content.ReadAsByteArrayAsync()).Length);
        Assert.Equal(1, server.Connections);
    }

    [Fact]
    public async Task HeadersInEveryForm_Arrive()
    {
        IReadOnlyList<string>? seen = null;
        await using var server = new ClientAndServer(stream =>
        {
            seen = [.. stream.Headers.Fields.Select(field => $"{field.Name}={field.Value}")];
            return EchoAsync(stream);
        });
        for (var round = 0; round < 3; round++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost/") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            request.Headers.TryAddWithoutValidation("x-empty", string.Empty);
            request.Headers.TryAddWithoutValidation("x-long", new string('l', 40_000));
            request.Headers.TryAddWithoutValidation("X-Case", $"Kept {round}");
            using var response = await server.Client.SendAsync(request, CancellationToken.None).WaitAsync(Guard);
            await response.Content.ReadAsByteArrayAsync();
            Assert.Contains("x-empty=", seen!);
            Assert.Contains("x-long=" + new string('l', 40_000), seen!);
            Assert.Contains($"x-case=Kept {round}", seen!);
        }
    }

    // .NET's own contents are sent whole before the response is looked at; one of another class goes both ways at once.
    private sealed class Body(byte[] octets) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => stream.WriteAsync(octets).AsTask();

        protected override bool TryComputeLength(out long length)
        {
            length = octets.Length;
            return true;
        }
    }

    private sealed class ClientAndServer : IAsyncDisposable
    {
        private readonly List<Http2ServerConnection> _servers = [];

        public ClientAndServer(Func<Http2ServerStream, Task> handler, Http2ServerOptions? options = null)
        {
            Client = new HttpMessageInvoker(new SocketsHttpHandler
            {
                ConnectCallback = (_, _) =>
                {
                    var (client, server) = MemoryDuplexStream.CreatePair();
                    var connection = new Http2ServerConnection(server, options ?? new Http2ServerOptions(), handler);
                    _servers.Add(connection);
                    _ = connection.RunAsync(CancellationToken.None);
                    return ValueTask.FromResult<Stream>(client);
                },
            });
        }

        public HttpMessageInvoker Client { get; }

        public int Connections => _servers.Count;

        public async Task<HttpResponseMessage> SendAsync(HttpContent content, string path = "/")
        {
            var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost" + path)
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = content,
            };
            return await Client.SendAsync(request, CancellationToken.None).WaitAsync(Guard);
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            foreach (var server in _servers)
                await server.DisposeAsync().AsTask().WaitAsync(Guard);
        }
    }
}
