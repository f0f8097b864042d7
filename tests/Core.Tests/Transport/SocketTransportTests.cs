using System.IO.Pipes;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using BuildKit.Transport;
using Xunit;

namespace BuildKit.Tests.Transport;

public sealed class SocketTransportTests : IDisposable
{
    private const uint Nobody = 65534;
    private static readonly TimeSpan Guard = Poll.Patience;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("buildkit-socket-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task A_socket_that_does_not_exist_is_told()
    {
        var failure = await FailUnixAsync(PathOf("missing.sock"));
        Assert.Equal("BuildKit.SocketNotFound", failure.ErrorId);
        Assert.Contains("chosen by $env:DOCKER_HOST", failure.Message, StringComparison.Ordinal);
        Assert.Equal("$env:DOCKER_HOST", failure.EndpointSource);
        Assert.Equal($"unix://{PathOf("missing.sock")}", failure.Target);
        Assert.NotNull(failure.RecommendedAction);
    }

    [Fact]
    public async Task A_socket_that_nobody_listens_on_is_refused()
    {
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            socket.Bind(new UnixDomainSocketEndPoint(PathOf("dead.sock")));
        if (!File.Exists(PathOf("dead.sock")))
            await File.WriteAllTextAsync(PathOf("dead.sock"), string.Empty); // .NET removes the socket's file; what a killed daemon leaves is refused like any file

        Assert.Equal("BuildKit.ConnectionRefused", (await FailUnixAsync(PathOf("dead.sock"))).ErrorId);
    }

    [Fact]
    public async Task A_path_longer_than_a_socket_address_is_told()
    {
        Assert.Equal("BuildKit.InvalidEndpoint", (await FailUnixAsync("/" + new string('x', 200))).ErrorId);
    }

    [SkippableFact]
    public async Task A_socket_without_permission_is_told()
    {
        if (!OperatingSystem.IsLinux())
            throw new SkipException("setfsuid is Linux's.");
        var path = PathOf("root.sock");
        await using var server = new TestServer((_, _) => Task.CompletedTask, path);
        File.SetUnixFileMode(path, Environment.IsPrivilegedProcess ? UnixFileMode.UserRead | UnixFileMode.UserWrite : UnixFileMode.None);
        File.SetUnixFileMode(_directory.FullName, (UnixFileMode)0b111_101_101);

        // The kernel judges a connect by the thread's file system user, and a connect to a unix socket happens on the thread that asks for it.
        var started = new TaskCompletionSource<Task<ConnectionFailedException>>();
        var thread = new Thread(() =>
        {
            if (Environment.IsPrivilegedProcess)
                _ = SetFsUid(Nobody);
            started.SetResult(FailUnixAsync(path));
        });
        thread.Start();
        thread.Join();

        var failure = await await started.Task;
        Assert.Equal("BuildKit.SocketPermissionDenied", failure.ErrorId);
        Assert.Equal(BuildKitErrorCategory.PermissionDenied, failure.Category);
    }

    [Fact]
    public async Task A_closed_port_is_refused()
    {
        int port;
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        var failure = await FailAsync(new TcpTransport(new TransportTarget($"tcp://127.0.0.1:{port}"), "127.0.0.1", port, Guard));
        Assert.Equal("BuildKit.ConnectionRefused", failure.ErrorId);
        Assert.Contains($"port {port}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_does_not_resolve_is_told()
    {
        // RFC 6761: names below .invalid never resolve.
        var failure = await FailAsync(new TcpTransport(new TransportTarget("tcp://no.invalid:1"), "no.invalid", 1, Guard));
        Assert.Equal("BuildKit.HostNotFound", failure.ErrorId);
        Assert.Contains("'no.invalid'", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SocketError.TimedOut, "BuildKit.ConnectionTimeout")]
    [InlineData(SocketError.NetworkUnreachable, "BuildKit.ConnectionFailed")]
    public void Other_errors_of_a_connect_are_told(SocketError error, string id) =>
        Assert.Equal(id, ConnectionFailures.FromTcp(new TransportTarget("tcp://h:1"), "h", 1, new SocketException((int)error)).ErrorId);

    [Fact]
    public async Task The_callers_cancellation_is_no_failure()
    {
        await using var server = new TestServer((_, _) => Task.CompletedTask);
        using var transport = new TcpTransport(new TransportTarget("tcp://x:1"), "127.0.0.1", server.Port, Guard);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => transport.ConnectAsync(ApplicationProtocol.Http1, new CancellationToken(true)).AsTask());
    }

    [Fact]
    public async Task A_named_pipe_carries_bytes()
    {
        var name = "buildkit-" + Guid.NewGuid().ToString("N");
        await using var server = new NamedPipeServerStream(name, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous);
        var accepted = server.WaitForConnectionAsync();
        using var transport = new NamedPipeTransport(new TransportTarget("npipe:////./pipe/x"), ".", name, Guard);
        await using var client = await transport.ConnectAsync(ApplicationProtocol.Http1, CancellationToken.None).AsTask().WaitAsync(Guard);
        await accepted.WaitAsync(Guard);
        await client.WriteAsync("hello"u8.ToArray());
        var read = new byte[5];
        await server.ReadExactlyAsync(read).AsTask().WaitAsync(Guard);
        Assert.Equal("hello"u8.ToArray(), read);
    }

    [Fact]
    public async Task A_named_pipe_that_does_not_exist_is_told()
    {
        var failure = await FailAsync(new NamedPipeTransport(new TransportTarget("npipe:////./pipe/x"), ".", "buildkit-" + Guid.NewGuid().ToString("N"), Guard));
        Assert.Equal("BuildKit.SocketNotFound", failure.ErrorId);
    }

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);

    private static Task<ConnectionFailedException> FailUnixAsync(string path) =>
        FailAsync(new UnixSocketTransport(new TransportTarget($"unix://{path}", "$env:DOCKER_HOST"), path, Guard));

    private static async Task<ConnectionFailedException> FailAsync(DaemonTransport transport)
    {
        using (transport)
        {
            return await Assert.ThrowsAsync<ConnectionFailedException>(
                () => transport.ConnectAsync(ApplicationProtocol.Http1, CancellationToken.None).AsTask().WaitAsync(Guard));
        }
    }

    [DllImport("libc", EntryPoint = "setfsuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetFsUid(uint user);
}
