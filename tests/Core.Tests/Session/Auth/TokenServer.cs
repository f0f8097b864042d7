using System.Net;
using System.Net.Sockets;
using System.Text;

namespace BuildKit.Tests.Session.Auth;

/// <summary>A token server on the loopback: every request is kept, and answered as the test says. The body of a redirection is its address.</summary>
internal sealed class TokenServer : IDisposable
{
    private readonly HttpListener _listener;
    private readonly Func<Request, (int Status, string Body)> _answer;

    public TokenServer(Func<Request, (int Status, string Body)> answer)
    {
        _answer = answer;
        _listener = Listen(out var port);
        Realm = $"http://127.0.0.1:{port}/token";
        _ = ServeAsync();
    }

    public string Realm { get; }

    public List<Request> Requests { get; } = [];

    public void Dispose() => _listener.Close();

    private static HttpListener Listen(out int port)
    {
        while (true)
        {
            using (var probe = new TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                port = ((IPEndPoint)probe.LocalEndpoint).Port;
            }
            var listener = new HttpListener();
            listener.Prefixes.Add($"http://127.0.0.1:{port}/");
            try
            {
                listener.Start();
                return listener;
            }
            catch (HttpListenerException)
            {
                // Somebody took the port in between.
            }
        }
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream);
                var address = context.Request.Url!;
                var request = new Request(
                    address.Authority, context.Request.HttpMethod, address.AbsolutePath, address.Query, await reader.ReadToEndAsync(), context.Request.ContentType,
                    context.Request.Headers["Authorization"]);
                Requests.Add(request);
                var (status, body) = _answer(request);
                context.Response.StatusCode = status;
                if (status is >= 300 and < 400)
                    context.Response.RedirectLocation = body;
                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(body));
                context.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    internal sealed record Request(string Authority, string Method, string Path, string Query, string Body, string? ContentType, string? Authorization);
}
