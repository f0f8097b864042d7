using System.Text;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Transport;

namespace BuildKit.Tests.Docker;

/// <summary>A registry on the loopback interface that gives an image of a real one, and misbehaves for one of its paths.</summary>
internal sealed class DamagedRegistry : IAsyncDisposable
{
    private readonly RegistryImage _image;
    private readonly string _path;
    private readonly Func<Stream, CancellationToken, Task> _answer;
    private readonly TestServer _server;

    /// <param name="image">The image that is given.</param>
    /// <param name="path">What a request's path contains that is answered otherwise.</param>
    /// <param name="answer">Writes that answer; the connection is closed after it.</param>
    public DamagedRegistry(RegistryImage image, string path, Func<Stream, CancellationToken, Task> answer)
    {
        (_image, _path, _answer) = (image, path, answer);
        _server = new TestServer(ServeAsync);
    }

    /// <param name="image">The image that is given.</param>
    /// <param name="path">What a request's path contains that is answered otherwise.</param>
    /// <param name="status">The status of that answer, such as <c>500 Internal Server Error</c>.</param>
    /// <param name="body">And its body, JSON.</param>
    public DamagedRegistry(RegistryImage image, string path, string status, string body)
        : this(image, path, (stream, cancellationToken) => WriteAsync(stream, $"{status}\r\nContent-Type: application/json", Encoding.UTF8.GetBytes(body), cancellationToken))
    {
    }

    public string Authority => $"127.0.0.1:{_server.Port}";

    public string Name => $"{Authority}/{_image.Repository}:{_image.Tag}";

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static async Task WriteAsync(Stream stream, string status, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"), cancellationToken);
        await stream.WriteAsync(body, cancellationToken);
    }

    private async Task ServeAsync(Stream stream, CancellationToken cancellationToken)
    {
        if (await HttpHead.ReadAsync(stream, cancellationToken) is not { } head)
            return;
        if (head == HttpHead.TlsHandshake)
        {
            await WriteAsync(stream, "400 Bad Request", default, cancellationToken);
            return;
        }
        var path = head.Split(' ')[1];
        var isHead = head.StartsWith("HEAD ", StringComparison.Ordinal);
        if (path.Contains(_path, StringComparison.Ordinal))
            await _answer(stream, cancellationToken);
        else if (path.TrimEnd('/') == "/v2")
            await WriteAsync(stream, "200 OK", default, cancellationToken);
        else if (path.Contains("/manifests/", StringComparison.Ordinal))
            await GiveAsync(stream, _image.Digest, "application/vnd.oci.image.manifest.v1+json", isHead, cancellationToken);
        else
            await GiveAsync(stream, path[(path.LastIndexOf('/') + 1)..], "application/octet-stream", isHead, cancellationToken);
    }

    private async Task GiveAsync(Stream stream, string digest, string type, bool isHead, CancellationToken cancellationToken)
    {
        var body = await File.ReadAllBytesAsync(_image.BlobPath(digest), cancellationToken);
        var head = $"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nDocker-Content-Digest: {digest}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), cancellationToken);
        if (!isHead)
            await stream.WriteAsync(body, cancellationToken);
    }
}
