using System.Net;
using System.Net.Sockets;

namespace BuildKit.Registry;

/// <summary>Which failures of a registry may go away by themselves, and how long to wait for that.</summary>
internal static class RegistryRetry
{
    private const int MostDoublings = 5;

    public static bool MayGoAway(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError
        or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    // Nobody there, no such name and a certificate that is not trusted stay as they are.
    public static bool MayGoAway(HttpRequestException exception) => exception.HttpRequestError is not (HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError
        or HttpRequestError.ProxyTunnelError or HttpRequestError.UserAuthenticationError)
        && exception.InnerException is not SocketException { SocketErrorCode: SocketError.ConnectionRefused };

    /// <summary>How long to wait after an attempt: what the registry says, or else twice as long every time, and never the same for two who failed together.</summary>
    /// <param name="options">The first pause.</param>
    /// <param name="attempt">Which attempt has failed, counted from 1.</param>
    /// <param name="response">The answer, or null where there was none.</param>
    public static TimeSpan Pause(RegistryOptions options, int attempt, HttpResponseMessage? response)
    {
        var pause = options.RetryDelay * Math.Pow(2, Math.Min(attempt - 1, MostDoublings)) * (0.75 + (Random.Shared.NextDouble() / 2));
        var asked = response?.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - DateTimeOffset.UtcNow,
            _ => TimeSpan.Zero,
        };
        return asked > pause ? asked : pause;
    }
}
