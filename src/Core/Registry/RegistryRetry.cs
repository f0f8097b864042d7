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

    /// <summary>Makes a request, and makes it again where its failure may go away by itself.</summary>
    /// <param name="options">How often, and after which pauses.</param>
    /// <param name="canRepeat">Whether it may be made again at all.</param>
    /// <param name="send">Makes it once.</param>
    /// <param name="cancellationToken">Ends the request or the pause.</param>
    /// <returns>The last answer, whatever its status; the caller disposes it.</returns>
    /// <exception cref="HttpRequestException">There was no answer in the end.</exception>
    public static async Task<HttpResponseMessage> SendAsync(
        RegistryOptions options, bool canRepeat, Func<CancellationToken, Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var mayRepeat = canRepeat && attempt < options.Attempts;
            TimeSpan pause;
            try
            {
                var response = await send(cancellationToken).ConfigureAwait(false);
                pause = Pause(options, attempt, Asked(response));
                if (!mayRepeat || !MayGoAway(response.StatusCode) || pause > options.LongestRetryDelay)
                    return response;
                response.Dispose();
            }
            catch (HttpRequestException e) when (mayRepeat && MayGoAway(e))
            {
                pause = Pause(options, attempt);
            }
            await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>How long to wait after an attempt: what the registry says, or else twice as long every time, and never the same for two who failed together.</summary>
    /// <param name="options">The first pause.</param>
    /// <param name="attempt">Which attempt has failed, counted from 1.</param>
    /// <param name="asked">What the registry says (<see cref="Asked"/>).</param>
    public static TimeSpan Pause(RegistryOptions options, int attempt, TimeSpan asked = default)
    {
        var pause = options.RetryDelay * Math.Pow(2, Math.Min(attempt - 1, MostDoublings)) * (0.75 + (Random.Shared.NextDouble() / 2));
        return asked > pause ? asked : pause;
    }

    /// <summary>How long an answer asks to wait (<c>Retry-After</c>; RFC 9110, section 10.2.3); zero where it does not.</summary>
    public static TimeSpan Asked(HttpResponseMessage response)
    {
        var asked = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - DateTimeOffset.UtcNow,
            _ => TimeSpan.Zero,
        };
        return asked > TimeSpan.Zero ? asked : TimeSpan.Zero;
    }
}
