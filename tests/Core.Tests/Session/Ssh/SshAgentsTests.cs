using System.IO.Pipes;
using System.Net.Sockets;
using BuildKit.Session.Ssh;
using BuildKit.Tests.Grpc;
using BuildKit.Tests.Solve;
using Xunit;

namespace BuildKit.Tests.Session.Ssh;

/// <summary>What is found out before the build.</summary>
public sealed class SshAgentsTests : IDisposable
{
    private readonly BuildContextDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task WithoutAnAgentDefaultIsRefused()
    {
        var failure = await FailsAsync([], null);
        Assert.Equal("BuildKit.SshAgentNotFound", failure.ErrorId);
        Assert.Equal("BuildKit.SshAgentNotFound", (await FailsAsync([], "")).ErrorId);
        Assert.Contains("ssh-add", failure.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASocketOnWhichNobodyListensIsRefused()
    {
        var path = _directory.At("dead.sock");
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));
            socket.Listen();
            // Its name would go with it.
            File.Move(path, path + ".kept");
        }
        foreach (var failure in new[] { await FailsAsync([], path + ".kept"), await FailsAsync([path + ".kept"]), await FailsAsync([], _directory.At("none.sock")) })
        {
            Assert.Equal("BuildKit.SshAgentNotFound", failure.ErrorId);
            Assert.Contains("SSH_AUTH_SOCK", failure.RecommendedAction, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task APathThatIsNotThereOrCannotBeReadIsRefused()
    {
        Assert.Equal("BuildKit.SshKeyNotFound", (await FailsAsync([_directory.At("nothing")])).ErrorId);
        Assert.Equal("BuildKit.SshKeyNotFound", (await FailsAsync([_directory.At(new string('x', 150))])).ErrorId);
        Assert.Equal("BuildKit.SshKeyUnreadable", (await FailsAsync([_directory.Path])).ErrorId);
    }

    [Fact]
    public async Task ASocketIsTheOnlyPathOfItsId()
    {
        using var socket = Listen("a.sock");
        var failure = await FailsAsync([_directory.At("a.sock"), _directory.At("key")]);
        Assert.Equal("BuildKit.InvalidSsh", failure.ErrorId);
    }

    [Fact]
    public async Task AnIdIsGivenOnce()
    {
        using var socket = Listen("a.sock");
        var path = _directory.At("a.sock");
        var failure = await Assert.ThrowsAsync<BuildKitException>(() => SshAgents.OpenAsync([("x", [path]), ("x", [path])], default));
        Assert.Equal("BuildKit.InvalidSsh", failure.ErrorId);
    }

    [Theory]
    [InlineData(@"\\.\pipe\openssh-ssh-agent", ".", "openssh-ssh-agent")]
    [InlineData("//./pipe/openssh-ssh-agent", ".", "openssh-ssh-agent")]
    [InlineData(@"\\.\\PIPE\\a\b", ".", @"a\b")]
    [InlineData(@"\\host\pipe\agent", "host", "agent")]
    public void PipesAreKnownByTheirPathsOnWindows(string path, string server, string name)
    {
        Assert.Equal((server, name), SshAgentAddress.Parse(path, isWindows: true).Pipe);
        Assert.Null(SshAgentAddress.Parse(path, isWindows: false).Pipe);
    }

    [Theory]
    [InlineData(@"C:\Users\me\agent.sock")]
    [InlineData(@"\\server\share\key")]
    [InlineData(@"\\.\pipe\")]
    [InlineData("pipe")]
    public void OtherPathsAreNoPipes(string path) => Assert.Null(SshAgentAddress.Parse(path, isWindows: true).Pipe);

    [Fact]
    public void WindowsHasAnAgentOfItsOwn()
    {
        Assert.Equal(SshAgentAddress.WindowsAgent, SshAgentAddress.Default(_ => null, isWindows: true));
        Assert.Equal("set", SshAgentAddress.Default(_ => "set", isWindows: true));
        Assert.Null(SshAgentAddress.Default(_ => null, isWindows: false));
    }

    // .NET has named pipes everywhere, so the way through one can be seen here too.
    [Fact]
    public async Task RequestsGoThroughAPipe()
    {
        var name = $"buildkit-test-{Guid.NewGuid():N}";
        await using var server = new NamedPipeServerStream(name, PipeDirection.InOut, 2, PipeTransmissionMode.Byte, PipeOptions.Asynchronous);
        await using var second = new NamedPipeServerStream(name, PipeDirection.InOut, 2, PipeTransmissionMode.Byte, PipeOptions.Asynchronous);
        var looked = server.WaitForConnectionAsync();
        var agents = await SshAgents.OpenAsync([("default", [@"\\.\pipe\" + name])], _ => null, isWindows: true, default).WaitAsync(ClientTestCalls.Guard);
        await looked.WaitAsync(ClientTestCalls.Guard);

        var connected = second.WaitForConnectionAsync();
        await using var connection = await agents["default"].ConnectAsync(default);
        await connected.WaitAsync(ClientTestCalls.Guard);
        byte[] request = [0, 0, 0, 1, SshAgentMessage.RequestIdentities];
        var answer = connection.AnswerAsync(request, default).AsTask();
        var received = new byte[request.Length];
        await second.ReadExactlyAsync(received).AsTask().WaitAsync(ClientTestCalls.Guard);
        Assert.Equal(request, received);
        await second.WriteAsync(SshAgentMessage.FailureAnswer);
        Assert.Equal(SshAgentMessage.FailureAnswer.ToArray(), (await answer.WaitAsync(ClientTestCalls.Guard)).ToArray());
    }

    [Fact]
    public async Task APipeThatIsNotThereIsRefused()
    {
        var failure = await Assert.ThrowsAsync<BuildKitException>(
            () => SshAgents.OpenAsync([("default", [@"\\.\pipe\no-such-agent-" + Guid.NewGuid()])], _ => null, isWindows: true, default)
                .WaitAsync(ClientTestCalls.Guard));
        Assert.Equal("BuildKit.SshAgentNotFound", failure.ErrorId);
    }

    private static async Task<BuildKitException> FailsAsync(IReadOnlyList<string> paths, string? variable = null) =>
        await Assert.ThrowsAsync<BuildKitException>(() => SshAgents.OpenAsync([("default", paths)], _ => variable, isWindows: false, default));

    private Socket Listen(string name)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_directory.At(name)));
        socket.Listen();
        return socket;
    }
}
