using System.Net.Sockets;
using BuildKit.Grpc;
using BuildKit.Protocol.Control;
using BuildKit.Session.Ssh;
using BuildKit.Tests.Grpc;
using BuildKit.Tests.Solve;
using Google.Protobuf;

namespace BuildKit.Tests.Session.Ssh;

/// <summary>What a step sees: a socket, whose connections go over gRPC to an <see cref="SshService"/>, as the daemon carries them (buildkit session/sshforward).</summary>
internal sealed class ForwardedStep : IAsyncDisposable
{
    private static readonly Method<BytesMessage, BytesMessage> ForwardAgent =
        Method.Protobuf<BytesMessage, BytesMessage>(MethodType.DuplexStreaming, "moby.sshforward.v1.SSH", "ForwardAgent");

    private readonly BuildContextDirectory _directory = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly SshService _service;
    private readonly ServerTestChannel _channel;
    private readonly string _id;

    public ForwardedStep(IReadOnlyDictionary<string, ISshAgent> agents, string id = "default")
    {
        _service = new SshService(agents);
        _channel = new ServerTestChannel(_service.Definition);
        _id = id;
        _listener.Bind(new UnixDomainSocketEndPoint(Socket));
        _listener.Listen(512);
        _ = AcceptAsync();
    }

    public string Socket => _directory.At("step.sock");

    public GrpcChannel Channel => _channel.Channel;

    /// <summary>A step for what was asked for under the id <c>default</c>.</summary>
    public static async Task<ForwardedStep> OpenAsync(params string[] paths) => new(await SshAgents.OpenAsync([("default", paths)], default));

    /// <summary>A connection without a socket.</summary>
    public AsyncDuplexStreamingCall<BytesMessage, BytesMessage> Call(string? id = null, CancellationToken cancellationToken = default) =>
        Channel.AsyncDuplexStreamingCall(ForwardAgent, new CallOptions(new Metadata { { "buildkit.ssh.id", id ?? _id } }, CancellationToken: cancellationToken));

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _channel.DisposeAsync();
        await _service.DisposeAsync();
        _directory.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
            _ = CarryAsync(await _listener.AcceptAsync());
    }

    private async Task CarryAsync(Socket socket)
    {
        using var connection = new NetworkStream(socket, ownsSocket: true);
        using var call = Call();
        var requests = Task.Run(async () =>
        {
            var buffer = new byte[32 * 1024];
            for (int read; (read = await connection.ReadAsync(buffer)) > 0;)
                await call.RequestStream.WriteAsync(new BytesMessage { Data = ByteString.CopyFrom(buffer, 0, read) }, default);
            await call.RequestStream.CompleteAsync();
        });
        await foreach (var reply in call.ResponseStream.ReadAllAsync())
            await connection.WriteAsync(reply.Data.Memory);
        await requests;
    }
}
