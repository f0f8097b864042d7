using System.Text;
using BuildKit.Transport;
using Xunit;

namespace BuildKit.Tests.Transport;

public sealed class Http1UpgradeTests
{
    private const string Accepted = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";

    [Fact]
    public async Task The_request_is_an_upgrade_with_the_headers_as_given()
    {
        var stream = new ScriptedStream([Accepted]);
        await Http1Upgrade.PostAsync(
            stream, "docker", "/session", "h2c", [new("X-Name", "büild"), new("X-Method", "/a"), new("X-Method", "/b")], default, CancellationToken.None);
        Assert.Equal(
            "POST /session HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\nX-Name: büild\r\nX-Method: /a\r\nX-Method: /b\r\n\r\n",
            stream.Written);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4096)]
    public async Task No_byte_after_the_answer_is_lost_however_it_is_cut(int chunk)
    {
        byte[] all = [.. Encoding.Latin1.GetBytes(Accepted), .. Enumerable.Range(0, 10000).Select(i => (byte)i)];
        var stream = new ScriptedStream(all.Chunk(chunk));
        var response = await Http1Upgrade.PostAsync(stream, "docker", "/grpc", "h2c", [], default, CancellationToken.None);
        Assert.Equal(101, response.StatusCode);

        var rest = new MemoryStream();
        await response.Stream.CopyToAsync(rest);
        Assert.Equal(all[Accepted.Length..], rest.ToArray());
    }

    [Fact]
    public async Task A_refusal_comes_with_its_body()
    {
        var stream = new ScriptedStream(["HTTP/1.1 404 Not Found\r\ncontent-length: 17\r\n\r\n{\"mess", "age\":\"no\"}\nMORE"]);
        var response = await Http1Upgrade.PostAsync(stream, "docker", "/grpc", "h2c", [], default, CancellationToken.None);
        Assert.Equal(404, response.StatusCode);
        Assert.Equal("{\"message\":\"no\"}\n", Encoding.UTF8.GetString(response.Body));
    }

    [Theory]
    [InlineData("\0\0\u0006\u0004\0")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n")]
    [InlineData("HTTP/1.1 what\r\n\r\n")]
    public async Task A_peer_that_speaks_something_else_is_told_and_closed(string answer)
    {
        var stream = new ScriptedStream([answer]);
        await Assert.ThrowsAsync<InvalidDataException>(() => Http1Upgrade.PostAsync(stream, "docker", "/grpc", "h2c", [], default, CancellationToken.None));
        Assert.True(stream.IsDisposed);
    }

    [Fact]
    public async Task A_head_without_end_is_refused()
    {
        var stream = new ScriptedStream(Enumerable.Repeat("HTTP/1.1 101 OK\r\nX: " + new string('x', 1000), 200));
        await Assert.ThrowsAsync<InvalidDataException>(() => Http1Upgrade.PostAsync(stream, "docker", "/grpc", "h2c", [], default, CancellationToken.None));
    }

    [Fact]
    public async Task An_end_before_the_answer_is_a_broken_connection()
    {
        var stream = new ScriptedStream(["HTTP/1.1 10"]);
        await Assert.ThrowsAsync<EndOfStreamException>(() => Http1Upgrade.PostAsync(stream, "docker", "/grpc", "h2c", [], default, CancellationToken.None));
        Assert.True(stream.IsDisposed);
    }

    [Fact]
    public async Task A_header_can_not_smuggle_another()
    {
        var stream = new ScriptedStream([Accepted]);
        await Assert.ThrowsAsync<ArgumentException>(
            () => Http1Upgrade.PostAsync(stream, "docker", "/grpc", "h2c", [new("X-Name", "a\r\nX-Evil: b")], default, CancellationToken.None));
        Assert.Empty(stream.Written);
    }

    /// <summary>Gives the pieces one read at a time and remembers what is written.</summary>
    private sealed class ScriptedStream(IEnumerable<byte[]> pieces) : MemoryStream
    {
        private readonly Queue<byte[]> _pieces = new(pieces);
        private readonly MemoryStream _written = new();

        public ScriptedStream(IEnumerable<string> pieces)
            : this(pieces.Select(Encoding.Latin1.GetBytes))
        {
        }

        public string Written => Encoding.UTF8.GetString(_written.ToArray());

        public bool IsDisposed { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            if (!_pieces.TryDequeue(out var piece))
                return 0;
            var count = Math.Min(piece.Length, buffer.Length);
            piece.AsSpan(0, count).CopyTo(buffer);
            if (count < piece.Length)
            {
                var rest = _pieces.ToArray();
                _pieces.Clear();
                _pieces.Enqueue(piece[count..]);
                Array.ForEach(rest, _pieces.Enqueue);
            }
            return count;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _written.WriteAsync(buffer, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }
}
