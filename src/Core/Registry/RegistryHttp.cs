using System.Net;
using System.Net.Http.Headers;

namespace BuildKit.Registry;

/// <summary>How registries and their token servers are spoken to: the system's trust and proxies, no cookies, and no redirection that is not looked at.</summary>
internal static class RegistryHttp
{
    private const string UserAgent = "buildkit-client";

    public static SocketsHttpHandler CreateHandler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ActivityHeadersPropagator = null,
        Proxy = new LoopbackBypass(HttpClient.DefaultProxy),
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        ConnectTimeout = TimeSpan.FromSeconds(30),
    };

    public static HttpClient CreateClient(HttpMessageHandler handler, bool disposeHandler)
    {
        var client = new HttpClient(handler, disposeHandler);
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue(UserAgent, typeof(RegistryHttp).Assembly.GetName().Version?.ToString(3)));
        return client;
    }

    /// <summary>Whether a host, with a port or without, is this machine: 127.0.0.0/8, ::1 or localhost (containerd core/remotes/docker MatchLocalhost).</summary>
    public static bool IsLoopback(string host)
    {
        if (!Uri.TryCreate($"http://{host}/", UriKind.Absolute, out var uri))
            return false;
        return uri.DnsSafeHost.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(uri.DnsSafeHost, out var address) && IPAddress.IsLoopback(address));
    }

    // Go's proxies are never asked for this machine; .NET's are.
    private sealed class LoopbackBypass(IWebProxy system) : IWebProxy
    {
        public ICredentials? Credentials
        {
            get => system.Credentials;
            set => system.Credentials = value;
        }

        public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : system.GetProxy(destination);

        public bool IsBypassed(Uri host) => IsLoopback(host.Authority) || system.IsBypassed(host);
    }
}
