using System.Net;
using System.Text;

namespace BuildKit.Solve.Planning;

/// <summary>
/// A Dockerfile at a web address. buildx has the daemon fetch it and give it back, by a build of its own; here this side fetches it, so that it must be reachable from here.
/// </summary>
internal static class DockerfileUrl
{
    // As buildx allows (build/url.go).
    private const int LongestDockerfile = 2 * 1024 * 1024;

    private static readonly HttpClient Client = new(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.All, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
    {
        MaxResponseContentBufferSize = LongestDockerfile,
    };

    public static bool IsUrl(string dockerfile) =>
        dockerfile.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || dockerfile.StartsWith("http://", StringComparison.OrdinalIgnoreCase);

    /// <summary>Fetches the text.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.DockerfileNotFound</c>.</exception>
    public static async Task<string> FetchAsync(string url, CancellationToken cancellationToken)
    {
        string why;
        Exception? inner = null;
        try
        {
            using var response = await Client.GetAsync(new Uri(url), cancellationToken).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
                return Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false));
            why = $"the server answers {(int)response.StatusCode} {response.ReasonPhrase}";
        }
        catch (Exception e) when (e is HttpRequestException or UriFormatException or IOException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            why = e is TaskCanceledException ? "the server does not answer" : e.Message;
            inner = e;
        }
        var shown = Shown(url);
        throw new BuildKitException(
            "BuildKit.DockerfileNotFound", BuildKitErrorCategory.NotFound, $"The Dockerfile at '{shown}' can't be fetched: {why}.",
            "Check the address; it must be reachable from this machine, and hold no more than 2 MiB.", inner)
        { Target = shown };
    }

    // A password or a token in an address stays out of messages.
    private static string Shown(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri) ? uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped) : "…";
}
