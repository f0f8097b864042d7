using System.Buffers;
using System.Net.Sockets;
using System.Text;
using BuildKit.Builders;
using BuildKit.Grpc;
using BuildKit.Protocol.Control;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Grpc;

/// <summary>The client against a real buildkitd.</summary>
public sealed class ClientBuildKitTests
{
    private static readonly Marshaller<byte[]> Bytes =
        new(static bytes => bytes.Length, static (bytes, writer) => writer.Write(bytes), static data => data.ToArray());

    // buildkitd serves the two services that grpc-go brings along: health (Watch never ends) and reflection (a duplex stream).
    private static readonly Method<byte[], byte[]> Watch = new(MethodType.ServerStreaming, "grpc.health.v1.Health", "Watch", Bytes, Bytes);

    private static readonly Method<byte[], byte[]> Reflection =
        new(MethodType.DuplexStreaming, "grpc.reflection.v1.ServerReflection", "ServerReflectionInfo", Bytes, Bytes);

    [SkippableFact]
    public async Task Info_And_ListWorkers_Answer()
    {
        await using var channel = await ConnectAsync();
        var control = new ControlClient(channel);
        var info = await control.InfoAsync(default).WaitAsync(ClientTestCalls.Guard);
        Assert.NotEmpty(info.BuildkitVersion.Package);
        var worker = Assert.Single((await control.ListWorkersAsync(default).WaitAsync(ClientTestCalls.Guard)).Record);
        Assert.NotEmpty(worker.ID);
        Assert.NotEmpty(worker.Platforms);
    }

    [SkippableFact]
    public async Task Status_OfAnUnknownRef_Fails_WithTheDaemonsWords()
    {
        await using var channel = await ConnectAsync();
        using var status = new ControlClient(channel).Status("no-such-ref", default);
        var failure = await Assert.ThrowsAsync<RpcException>(() => status.ResponseStream.MoveNext(default).WaitAsync(ClientTestCalls.Guard));
        Assert.Contains("no-such-ref", failure.Status.Detail, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Solve_OfNonsense_Fails_WithDetails()
    {
        await using var channel = await ConnectAsync();
        var request = new Protocol.Control.SolveRequest { Ref = Guid.NewGuid().ToString("N"), Frontend = "no-such-frontend" };
        var failure = await new ControlClient(channel).SolveAsync(request, default).FailAsync(StatusCode.Unknown);
        Assert.Contains("no-such-frontend", failure.Status.Detail, StringComparison.Ordinal);
        Assert.NotNull(failure.Trailers.GetValueBytes("grpc-status-details-bin"));
    }

    [SkippableFact]
    public async Task UnknownMethod_IsUnimplemented()
    {
        await using var channel = await ConnectAsync();
        var method = new Method<byte[], byte[]>(MethodType.Unary, "moby.buildkit.v1.Control", "Nothing", Bytes, Bytes);
        await channel.AsyncUnaryCall(method, default, []).ResponseAsync.FailAsync(StatusCode.Unimplemented);
    }

    [SkippableFact]
    public async Task RequestThatTheDaemonFindsTooLarge_GetsItsStatus()
    {
        await using var channel = await ConnectAsync();
        var request = new StatusRequest { Ref = new string('x', 17 << 20) };
        using var status = channel.AsyncServerStreamingCall(
            Method.Protobuf<StatusRequest, StatusResponse>(MethodType.ServerStreaming, "moby.buildkit.v1.Control", "Status"), default, request);
        await status.ResponseStream.MoveNext(default).FailAsync(StatusCode.ResourceExhausted);
    }

    [SkippableFact]
    public async Task HundredCallsAtOnce_ShareOneConnection()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        var connections = 0;
        await using var channel = new GrpcChannel(cancellationToken =>
        {
            Interlocked.Increment(ref connections);
            return ConnectAsync(engine.Address, cancellationToken);
        });
        var control = new ControlClient(channel);
        for (var round = 0; round < 5; round++)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => control.ListWorkersAsync(default))).WaitAsync(ClientTestCalls.Guard);
            Assert.All(answers, answer => Assert.Single(answer.Record));
        }

        Assert.Equal(1, connections);
    }

    [SkippableFact]
    public async Task Duplex_AnswersMessageByMessage_AndEndsAfterComplete()
    {
        await using var channel = await ConnectAsync();
        using var call = channel.AsyncDuplexStreamingCall(Reflection, default);
        byte[] listServices = [7 << 3 | 2, 1, (byte)'*']; // ServerReflectionRequest.list_services
        for (var i = 0; i < 50; i++)
        {
            await call.RequestStream.WriteAsync(listServices, default);
            Assert.True(await call.ResponseStream.MoveNext(default).WaitAsync(ClientTestCalls.Guard));
            Assert.Contains("moby.buildkit.v1.Control", Encoding.UTF8.GetString(call.ResponseStream.Current), StringComparison.Ordinal);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(default).WaitAsync(ClientTestCalls.Guard));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [SkippableFact]
    public async Task Cancellation_EndsAWatch_AndLeavesTheConnectionUsable()
    {
        await using var channel = await ConnectAsync();
        using var cancellation = new CancellationTokenSource();
        using var call = channel.AsyncServerStreamingCall(Watch, new CallOptions(CancellationToken: cancellation.Token), []);
        Assert.True(await call.ResponseStream.MoveNext(default).WaitAsync(ClientTestCalls.Guard));
        var reading = call.ResponseStream.MoveNext(default);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(ClientTestCalls.Guard));
        await new ControlClient(channel).InfoAsync(default).WaitAsync(ClientTestCalls.Guard);
    }

    [SkippableFact]
    public async Task Deadline_EndsAWatch()
    {
        await using var channel = await ConnectAsync();
        using var call = channel.AsyncServerStreamingCall(Watch, new CallOptions(Deadline: DateTime.UtcNow.AddSeconds(3)), []);
        Assert.True(await call.ResponseStream.MoveNext(default).WaitAsync(ClientTestCalls.Guard));
        await call.ResponseStream.MoveNext(default).FailAsync(StatusCode.DeadlineExceeded);
    }

    [SkippableFact]
    public async Task KilledDaemon_EndsEveryCall_AndTheChannelFindsItAgain()
    {
        await using var engine = await TestEngines.StartPrivateAsync(EngineKind.BuildkitdUnix);
        await using var channel = new GrpcChannel(cancellationToken => ConnectAsync(engine.Address, cancellationToken));
        using var watch = channel.AsyncServerStreamingCall(Watch, default, []);
        using var duplex = channel.AsyncDuplexStreamingCall(Reflection, default);
        Assert.True(await watch.ResponseStream.MoveNext(default).WaitAsync(ClientTestCalls.Guard));
        await duplex.RequestStream.WriteAsync([7 << 3 | 2, 1, (byte)'*'], default);
        Assert.True(await duplex.ResponseStream.MoveNext(default).WaitAsync(ClientTestCalls.Guard));
        var control = new ControlClient(channel);
        var status = control.Status("waited-for", default);
        var pending = new[] { watch.ResponseStream.MoveNext(default), duplex.ResponseStream.MoveNext(default), status.ResponseStream.MoveNext(default) };

        await engine.KillAsync();
        foreach (var call in pending)
            Assert.NotNull((await call.FailAsync(StatusCode.Unavailable)).InnerException);
        await duplex.RequestStream.WriteAsync([], default).AsTask().FailAsync(StatusCode.Unavailable);

        var refused = await control.InfoAsync(default).FailAsync(StatusCode.Unavailable);
        Assert.IsType<SocketException>(refused.InnerException);

        await engine.RestartAsync();
        Assert.NotEmpty((await control.InfoAsync(default).WaitAsync(ClientTestCalls.Guard)).BuildkitVersion.Package);
    }

    internal static async ValueTask<Stream> ConnectAsync(Uri address, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(address.AbsolutePath), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    internal static async Task<GrpcChannel> ConnectAsync()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        return new GrpcChannel(cancellationToken => ConnectAsync(engine.Address, cancellationToken));
    }
}
