using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using BuildKit.Oci;

namespace BuildKit.Registry;

/// <summary>The errors of a registry, each said in one place.</summary>
internal static class RegistryErrors
{
    private const int MostMessageBytes = 64 * 1024;
    private const int LongestMessage = 1000;

    /// <summary>What a registry answered in words, or nothing.</summary>
    public static async Task<string> ReadMessageAsync(HttpResponseMessage response, TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            var bytes = await RegistryBody.ReadAsync(response, MostMessageBytes, timeout, cancellationToken).ConfigureAwait(false);
            var errors = JsonSerializer.Deserialize(bytes, RegistryJson.Default.RegistryErrorList)?.Errors ?? [];
            var words = string.Join("; ", errors.OfType<RegistryError>().Select(Words).Where(text => text.Length > 0).Distinct());
            return words.Length > LongestMessage ? words[..LongestMessage] + "…" : words;
        }
        catch (Exception e) when (e is JsonException or IOException or HttpRequestException or InvalidDataException)
        {
            // A proxy's page, or nothing: the status says it all.
            return "";
        }
    }

    /// <summary>An answer that is no success.</summary>
    public static BuildKitException Answered(RegistryConnection registry, RegistryRequest request, HttpStatusCode status, string message, bool isAnonymous)
    {
        var words = message.Length > 0 ? $"{message} ({(int)status})" : $"{(int)status} {status}";
        return status switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new BuildKitException(
                "BuildKit.RegistryDenied", BuildKitErrorCategory.PermissionDenied,
                $"The registry '{registry.Host}' {(isAnonymous ? "wants credentials" : "refused the credentials")} for {request.What}: {words}",
                $"Check the name and what your account may do, and log in {(isAnonymous ? "first" : "again")}: docker login{(registry.Host == "docker.io" ? "" : " " + registry.Host)}")
            { Target = registry.Host },
            HttpStatusCode.NotFound => new BuildKitException(
                request.Target.Contains("/manifests/", StringComparison.Ordinal) ? "BuildKit.ManifestNotFound" : "BuildKit.RegistryNotFound", BuildKitErrorCategory.NotFound,
                $"The registry '{registry.Host}' does not have {request.What}: {words}",
                $"Check the name, its tag and its digest.{(isAnonymous ? $" A private repository shows itself only after a login: docker login{(registry.Host == "docker.io" ? "" : " " + registry.Host)}" : "")}")
            { Target = registry.Host },
            HttpStatusCode.TooManyRequests => RateLimited(
                registry.Host, $"The registry '{registry.Host}' takes no more requests for now, and was asked for {request.What}: {words}", isAnonymous),
            _ => new BuildKitException(
                "BuildKit.RegistryFailed", (int)status >= 500 ? BuildKitErrorCategory.Connection : BuildKitErrorCategory.InvalidArgument,
                $"The registry '{registry.Host}' failed on {request.What}: {words}",
                (int)status >= 500 ? "Try again; where it stays so, the registry's own log says more." : "Check what was asked for; the registry's own log may say more.")
            { Target = registry.Host },
        };
    }

    public static BuildKitException RateLimited(string host, string message, bool isAnonymous) => new(
        "BuildKit.RegistryRateLimited", BuildKitErrorCategory.Connection, message, $"Wait, and try again{(isAnonymous ? "; who is logged in may do more as a rule" : "")}.")
    { Target = host };

    public static BuildKitException Unreachable(RegistryConnection registry, string what, HttpRequestException exception, string? certificateFailure)
    {
        var socket = exception.InnerException as SocketException;
        var (why, action) = exception.HttpRequestError switch
        {
            HttpRequestError.SecureConnectionError when certificateFailure is not null => (certificateFailure,
                $"Put the certificate of its authority into /etc/docker/certs.d/{registry.Host}/ca.crt, or allow it to go unverified (-Insecure)."),
            HttpRequestError.SecureConnectionError => ("it does not speak TLS, or not with this side",
                "Where it speaks plain http, that has to be asked for (-Insecure); it may also want a client's certificate from certs.d."),
            HttpRequestError.NameResolutionError => ("its name can't be resolved", "Check the spelling of the host, the name service of this machine, and whether a proxy is needed (HTTPS_PROXY)."),
            _ when socket?.SocketErrorCode == SocketError.ConnectionRefused => ("nobody listens there", "Check the host and its port, and that the registry runs."),
            _ => (Cause(exception).TrimEnd('.'), "Check that this machine reaches that address (proxy, firewall), and try again."),
        };
        return new BuildKitException(
            "BuildKit.RegistryUnreachable", BuildKitErrorCategory.Connection, $"The registry '{registry.Host}' can't be reached for {what}: {why}.", action, exception)
        { Target = registry.Host };
    }

    public static BuildKitException UnsafeRedirection(RegistryConnection registry, string what, Uri from, Uri to) => new(
        "BuildKit.RegistryFailed", BuildKitErrorCategory.Protocol,
        $"The registry '{registry.Host}' sends for {what} from {from.Scheme}://{from.Authority} to {to.Scheme}://{to.Authority}, which is not encrypted.",
        "A proxy before the registry may hide from it that https is spoken (X-Forwarded-Proto); have that put right.")
    { Target = registry.Host };

    public static BuildKitException Malformed(RegistryConnection registry, string what, string why, Exception? inner = null) => new(
        "BuildKit.RegistryFailed", BuildKitErrorCategory.Protocol, $"What the registry '{registry.Host}' answers for {what} can't be used: {why}.",
        "Check that the address is that of a registry, and what stands between it and this machine.", inner)
    { Target = registry.Host };

    public static BuildKitException BrokenOff(RegistryConnection registry, string what, long done, long size, Exception? inner) => new(
        "BuildKit.RegistryConnectionLost", BuildKitErrorCategory.Connection,
        $"The connection to the registry '{registry.Host}' broke again and again at {what}, after {done} of {size} bytes{(inner is null ? "" : $" ({Cause(inner).TrimEnd('.')})")}.",
        "Try again: what is there already is not copied once more. A proxy between may cut long transfers.", inner)
    { Target = registry.Host };

    public static BuildKitException DigestMismatch(RegistryConnection registry, string what, OciDigest expected, OciDigest actual) => new(
        "BuildKit.DigestMismatch", BuildKitErrorCategory.Protocol, $"What the registry '{registry.Host}' has for {what} is not what it should be: {actual} in place of {expected}.",
        "The content was damaged on the way or in the registry's store; have it pushed anew.")
    { Target = registry.Host };

    private static string Words(RegistryError error)
    {
        var detail = error.Detail.ValueKind == JsonValueKind.String ? error.Detail.GetString() : null;
        var message = string.IsNullOrEmpty(error.Message) ? error.Code ?? "" : error.Message;
        return string.IsNullOrEmpty(detail) || detail == message ? message : $"{message}: {detail}";
    }

    // HttpClient's own words stand for the cause in general; the innermost ones say what it was.
    private static string Cause(Exception exception) => exception.InnerException is IOException or SocketException ? Cause(exception.InnerException) : exception.Message;
}
