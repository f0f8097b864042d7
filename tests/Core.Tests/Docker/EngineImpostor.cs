using System.Text;
using System.Text.Json;
using BuildKit.Docker;
using BuildKit.Tests.Transport;
using BuildKit.Transport;
using Xunit;

namespace BuildKit.Tests.Docker;

/// <summary>A peer that answers pings like an Engine, and the rest as a test wants it.</summary>
internal static class EngineImpostor
{
    /// <summary>How an answer begins that tells of progress.</summary>
    public const string StreamHead = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";

    /// <summary>And how it ends.</summary>
    public const string End = "0\r\n\r\n";

    /// <summary>One of its lines, as an Engine sends it.</summary>
    public static string Chunk(string line) => $"{line.Length + 2:x}\r\n{line}\r\n\r\n";

    /// <summary>A whole answer.</summary>
    public static string Json(string body, string status = "200 OK") =>
        $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}";

    /// <param name="answer">Gives what is written for a request other than a ping, from the status line on; the connection is closed after it.</param>
    /// <param name="then">What is done before it is closed.</param>
    /// <param name="apiVersion">What a ping is told, or null for an answer without a version.</param>
    public static TestServer Start(Func<string, string> answer, Func<Stream, CancellationToken, Task>? then = null, string? apiVersion = "1.51") => new(async (stream, cancellationToken) =>
    {
        while (await HttpHead.ReadAsync(stream, cancellationToken) is { } request)
        {
            var isPing = request.StartsWith("HEAD /_ping ", StringComparison.Ordinal);
            var bytes = Encoding.ASCII.GetBytes(isPing ? $"HTTP/1.1 200 OK\r\n{(apiVersion is null ? "" : $"Api-Version: {apiVersion}\r\n")}Content-Length: 0\r\n\r\n" : answer(request));
            await stream.WriteAsync(bytes, cancellationToken);
            if (isPing)
                continue;
            await (then?.Invoke(stream, cancellationToken) ?? Task.CompletedTask);
            return;
        }
    });

    public static DockerEngineClient Connect(TestServer server, Dictionary<string, string>? headers = null, TimeSpan? timeout = null) =>
        new(new TcpTransport(new TransportTarget($"tcp://127.0.0.1:{server.Port}"), "127.0.0.1", server.Port, timeout ?? Poll.Patience), headers);

    /// <summary>The credentials that a request brought, as <c>name=value</c>, by name.</summary>
    public static string SentAuth(string request)
    {
        var value = request.Split("\r\n").Single(line => line.StartsWith("X-Registry-Auth: ", StringComparison.Ordinal))["X-Registry-Auth: ".Length..];
        Assert.DoesNotContain(value, character => character is '+' or '/');
        using var json = JsonDocument.Parse(Convert.FromBase64String(value.Replace('-', '+').Replace('_', '/')));
        return string.Join(' ', json.RootElement.EnumerateObject().Select(property => $"{property.Name}={property.Value}").Order(StringComparer.Ordinal));
    }
}
