namespace BuildKit.Transport;

/// <summary>
/// A daemon could not be reached, or what answered is no daemon that this library can talk to. <see cref="BuildKitException.ErrorId"/> tells the cases apart:
/// <c>BuildKit.ConnectionRefused</c>, <c>BuildKit.SocketNotFound</c>, <c>BuildKit.SocketPermissionDenied</c>, <c>BuildKit.HostNotFound</c>,
/// <c>BuildKit.ConnectionTimeout</c>, <c>BuildKit.ConnectionLost</c>, <c>BuildKit.ConnectionFailed</c>, <c>BuildKit.NotABuilder</c>;
/// where a program or a container leads to it <c>BuildKit.ProgramNotFound</c>, <c>BuildKit.ProgramFailed</c>, <c>BuildKit.ContainerCommandFailed</c>; and with TLS
/// <c>BuildKit.TlsRequired</c>, <c>BuildKit.TlsNotSpoken</c>, <c>BuildKit.TlsUntrusted</c>, <c>BuildKit.TlsNameMismatch</c>, <c>BuildKit.TlsCertificateExpired</c>,
/// <c>BuildKit.TlsClientCertificateRequired</c>, <c>BuildKit.TlsClientCertificateRefused</c>, <c>BuildKit.TlsFileNotFound</c>, <c>BuildKit.TlsFileInvalid</c>,
/// <c>BuildKit.TlsFailed</c>.
/// </summary>
public sealed class ConnectionFailedException : BuildKitException
{
    /// <summary>Creates the error of a connection that failed.</summary>
    /// <param name="errorId">One of the stable names above.</param>
    /// <param name="category">The kind of trouble.</param>
    /// <param name="message">What happened, in a sentence.</param>
    /// <param name="recommendedAction">What to do next, or null.</param>
    /// <param name="innerException">What it was caused by.</param>
    public ConnectionFailedException(
        string errorId, BuildKitErrorCategory category, string message, string? recommendedAction = null, Exception? innerException = null)
        : base(errorId, category, message, recommendedAction, innerException)
    {
    }

    /// <summary>The setting that chose the endpoint, such as <c>$env:DOCKER_HOST</c>; null where the caller named it.</summary>
    public string? EndpointSource { get; init; }

    /// <summary>What a peer that is no daemon did when it was asked as an Engine, in words that begin with «it»; null where that is not known.</summary>
    internal string? PeerAnswer { get; init; }
}
