using System.Net.Sockets;

namespace BuildKit.Transport;

/// <summary>The words for every way in which a connection can fail before or without TLS, and the search for the cause in what a library wrapped.</summary>
internal static class ConnectionFailures
{
    private const string StartDaemon = "Start the Docker Engine or buildkitd that should listen there, or name another builder.";

    public static ConnectionFailedException Create(
        TransportTarget target, string id, string message, string? action, Exception? inner = null, BuildKitErrorCategory category = BuildKitErrorCategory.Connection) =>
        new("BuildKit." + id, category, message, action, inner) { Target = target.Address, EndpointSource = target.Source };

    public static ConnectionFailedException Timeout(TransportTarget target, TimeSpan timeout, Exception? inner) => Create(
        target, "ConnectionTimeout", $"{target} did not answer within {timeout.TotalSeconds:0.#} s.",
        "Check that the daemon is alive (it may hang) and that no firewall drops the packets.", inner);

    public static ConnectionFailedException Lost(TransportTarget target, Exception? inner) => Create(
        target, "ConnectionLost", $"The connection to {target} broke: the daemon stopped, or something between closed it.",
        "Look into the daemon's log, and try again once it runs.", inner);

    public static ConnectionFailedException Other(TransportTarget target, Exception inner) => Create(
        target, "ConnectionFailed", $"Can't connect to {target}: {inner.Message}", null, inner);

    public static ConnectionFailedException NotABuilder(TransportTarget target, string why, string? peerAnswer, Exception? inner) => new(
        "BuildKit.NotABuilder", BuildKitErrorCategory.Connection, $"Something answers at {target}, but {why}{(peerAnswer is null ? string.Empty : $": {peerAnswer}")}.",
        "Check the address: another program may listen there, or a proxy may stand before the daemon.", inner)
    {
        Target = target.Address,
        EndpointSource = target.Source,
        PeerAnswer = peerAnswer,
    };

    public static ConnectionFailedException SocketPathTooLong(TransportTarget target, Exception inner) => Create(
        target, "InvalidEndpoint", $"The path of {target} is too long for a unix socket (about 100 bytes at most).", "Use a shorter path, a symbolic link for example.",
        inner, BuildKitErrorCategory.InvalidArgument);

    public static ConnectionFailedException ProgramNotFound(TransportTarget target, HelperProgram program, Exception inner) => Create(
        target, "ProgramNotFound", $"{target} is reached by the program '{program.FileName}', which can't be started: {inner.Message}.",
        $"Install '{program.FileName}', or put it on the PATH.", inner, BuildKitErrorCategory.NotFound);

    public static ConnectionFailedException ProgramEnded(TransportTarget target, HelperProgram program, int? exitCode, string words, Exception? inner) => Create(
        target, "ProgramFailed",
        $"The program '{program.FileName}', by which {target} is reached, {(exitCode is null ? "closed its output" : $"ended with exit code {exitCode}")}"
        + (words.Length > 0 ? $": {words}" : " and said nothing."),
        program.Requirement, inner);

    public static ConnectionFailedException ContainerCommandEnded(TransportTarget target, string container, string command, string words) => Create(
        target, "ContainerCommandFailed",
        $"'{command}' in the container '{container}', by which {target} is reached, ended" + (words.Length > 0 ? $": {words}" : " and said nothing."),
        "Check that the container runs a buildkitd and holds buildctl; its log may say more.");

    public static ConnectionFailedException PipeNotFound(TransportTarget target, Exception inner) => Create(
        target, "SocketNotFound", $"Can't connect to {target}: there is no such named pipe, or it is busy.", StartDaemon, inner);

    public static ConnectionFailedException PipePermissionDenied(TransportTarget target, Exception inner) => Create(
        target, "SocketPermissionDenied", $"Can't connect to {target}: access to the named pipe is denied.",
        "Join the group 'docker-users' and sign in again, or run as a user who may use the pipe.", inner, BuildKitErrorCategory.PermissionDenied);

    public static ConnectionFailedException FromUnixSocket(TransportTarget target, string path, SocketException exception) => exception.SocketErrorCode switch
    {
        SocketError.AccessDenied => Create(
            target, "SocketPermissionDenied", $"Can't connect to {target}: {Who()} may not use the socket{ModeOf(path)}.",
            "Join the group that owns the socket ('docker' as a rule) and sign in again, or run as a user who may use it.", exception, BuildKitErrorCategory.PermissionDenied),
        _ when !File.Exists(path) => Create(target, "SocketNotFound", $"Can't connect to {target}: there is no such socket.", StartDaemon, exception),
        SocketError.ConnectionRefused => Create(
            target, "ConnectionRefused", $"Can't connect to {target}: the file is there, but no daemon listens on it.", StartDaemon, exception),
        _ => Other(target, exception),
    };

    // A container's user need not have a name.
    private static string Who() => Environment.UserName is { Length: > 0 } name ? $"the user '{name}'" : "this user";

    // Not to be had where the folder is closed to this user as well.
    private static string ModeOf(string path) =>
        !OperatingSystem.IsWindows() && File.Exists(path) ? $" (its mode is {Convert.ToString((int)File.GetUnixFileMode(path), 8)})" : string.Empty;

    public static ConnectionFailedException FromTcp(TransportTarget target, string host, int port, SocketException exception) => exception.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => Create(
            target, "ConnectionRefused", $"Can't connect to {target}: nobody listens on port {port} of {host}.",
            "Check the port, and that the daemon runs and listens on that address.", exception),
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain or SocketError.NoRecovery => Create(
            target, "HostNotFound", $"Can't connect to {target}: the name '{host}' can't be resolved.",
            "Check the spelling of the host, and the name service of this machine.", exception),
        SocketError.TimedOut => Create(
            target, "ConnectionTimeout", $"Can't connect to {target}: the host did not answer.", "Check the address, and that no firewall drops the packets.", exception),
        _ => Other(target, exception),
    };

    /// <summary>
    /// The failure inside what a library threw: our own exception where a connect failed under an HTTP client, an alert of the TLS peer, or else a broken connection.
    /// </summary>
    public static ConnectionFailedException Find(TransportTarget target, bool hasClientCertificate, Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is ConnectionFailedException failure)
                return failure;
        }
        return TlsFailures.FindAlert(target, hasClientCertificate, exception) ?? Lost(target, exception);
    }
}
