using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace BuildKit.Tests.Transport;

/// <summary>A web server on the loopback: every request is kept, and answered as the test says. The body of a redirection is its address.</summary>
internal sealed class LoopbackHttp : IAsyncDisposable
{
    private readonly Func<Request, (int Status, string Body)> _answer;
    private readonly TestServer _server;

    public LoopbackHttp(Func<Request, (int Status, string Body)> answer)
    {
        _answer = answer;
        _server = new TestServer(ServeAsync);
    }

    /// <summary><c>http://127.0.0.1:PORT/</c></summary>
    public string Address => $"http://127.0.0.1:{_server.Port}/";

    public IReadOnlyList<Request> Requests => [.. Kept];

    private ConcurrentQueue<Request> Kept { get; } = new();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task ServeAsync(Stream stream, CancellationToken cancellationToken)
    {
        if (await HttpHead.ReadAsync(stream, cancellationToken) is not { Length: > 1 } head)
            return;
        var first = head.Split(' ');
        var fields = HttpHead.Fields(head);
        var content = new byte[fields.TryGetValue("Content-Length", out var length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0];
        await stream.ReadExactlyAsync(content, cancellationToken);
        var address = new Uri($"http://{fields["Host"]}{first[1]}");
        var request = new Request(
            first[0], address.Authority, address.AbsolutePath, address.Query, Encoding.UTF8.GetString(content), fields.GetValueOrDefault("Content-Type"), fields.GetValueOrDefault("Authorization"));
        Kept.Enqueue(request);
        var (status, body) = _answer(request);
        var redirection = status is >= 300 and < 400 ? $"Location: {body}\r\n" : "";
        var answer = $"HTTP/1.1 {status} Whatever\r\n{redirection}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{(request.Method == "HEAD" ? "" : body)}";
        await stream.WriteAsync(Encoding.UTF8.GetBytes(answer), cancellationToken);
    }

    internal sealed record Request(string Method, string Authority, string Path, string Query, string Body, string? ContentType, string? Authorization);
}
