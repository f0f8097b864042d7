using System.IO.Pipes;
using System.Net.Sockets;
using System.Security.Principal;
using System.Text.RegularExpressions;

namespace BuildKit.Session.Ssh;

/// <summary>Where an SSH agent listens: a unix socket, or a pipe of Windows.</summary>
/// <param name="Path">The path as it was given.</param>
/// <param name="Pipe">The machine and the name of a pipe; null for a socket.</param>
internal sealed partial record SshAgentAddress(string Path, (string Server, string Name)? Pipe)
{
    /// <summary>The pipe of the OpenSSH agent that comes with Windows.</summary>
    public const string WindowsAgent = @"\\.\pipe\openssh-ssh-agent";

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Tells a pipe from a socket.</summary>
    /// <param name="path">The path.</param>
    /// <param name="isWindows">Elsewhere there are no pipes with such names.</param>
    public static SshAgentAddress Parse(string path, bool isWindows) =>
        new(path, isWindows && PipePath().Match(path) is { Success: true } match ? (match.Groups["server"].Value, match.Groups["name"].Value) : null);

    /// <summary>Where the agent of this user listens: <c>$SSH_AUTH_SOCK</c>, on Windows else the system's own pipe; null where nothing says so.</summary>
    public static string? Default(Func<string, string?> getEnvironmentVariable, bool isWindows) =>
        getEnvironmentVariable("SSH_AUTH_SOCK") is { Length: > 0 } path ? path : isWindows ? WindowsAgent : null;

    /// <summary>Connects.</summary>
    /// <exception cref="IOException">Nobody listens there, or not to us. A socket's own exception is the inner one.</exception>
    public async ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stop.CancelAfter(ConnectTimeout);
        try
        {
            return Pipe is { } pipe
                ? await ConnectPipeAsync(pipe.Server, pipe.Name, stop.Token).ConfigureAwait(false)
                : await ConnectSocketAsync(stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"it did not answer within {ConnectTimeout.TotalSeconds:0} s", e);
        }
        // A path that is too long for a socket, or a system that has no such sockets.
        catch (Exception e) when (e is SocketException or ArgumentException or PlatformNotSupportedException or UnauthorizedAccessException)
        {
            throw new IOException(e.Message, e);
        }
    }

    private async ValueTask<Stream> ConnectSocketAsync(CancellationToken cancellationToken)
    {
        var endPoint = new UnixDomainSocketEndPoint(Path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async ValueTask<Stream> ConnectPipeAsync(string server, string name, CancellationToken cancellationToken)
    {
        // Without the right to act in this user's name: whoever made the pipe first may not be the agent.
        var stream = new NamedPipeClientStream(server, name, PipeDirection.InOut, PipeOptions.Asynchronous, TokenImpersonationLevel.Identification);
        try
        {
            await stream.ConnectAsync(cancellationToken).ConfigureAwait(false);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    // As upstream's isWindowsPipePath: both slashes count, and several for one.
    [GeneratedRegex(@"^[\\/]{2}(?<server>[^\\/]+)[\\/]+pipe[\\/]+(?<name>.+)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex PipePath();
}
