using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using BuildKit.Grpc;
using BuildKit.Protocol.Control;
using BuildKit.Protocol.Ssh;
using BuildKit.Session.Ssh;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Grpc;
using BuildKit.Tests.Solve;
using Google.Protobuf;
using Xunit;

namespace BuildKit.Tests.Session.Ssh;

public sealed class SshServiceTests : IDisposable
{
    private static readonly Method<CheckAgentRequest, CheckAgentResponse> CheckAgent =
        Method.Protobuf<CheckAgentRequest, CheckAgentResponse>(MethodType.Unary, "moby.sshforward.v1.SSH", "CheckAgent");

    private static readonly byte[] List = Message([SshAgentMessage.RequestIdentities]);
    private static readonly byte[] Refused = Message([SshAgentMessage.Failure]);

    private readonly BuildContextDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task TheMethodsAreServedAndKnowTheirIds()
    {
        await using var step = new ForwardedStep(new Dictionary<string, ISshAgent> { ["default"] = Keys(), ["git"] = Keys() });
        foreach (var id in new[] { "", "default", "git" })
            await step.Channel.AsyncUnaryCall(CheckAgent, default, new CheckAgentRequest { ID = id }).ResponseAsync.WaitAsync(ClientTestCalls.Guard);
        var unknown = await step.Channel.AsyncUnaryCall(CheckAgent, default, new CheckAgentRequest { ID = "other" }).ResponseAsync.FailAsync(StatusCode.NotFound);
        Assert.Equal("unset ssh forward key other", unknown.Status.Detail);
        using var call = step.Call("other");
        await call.ResponseStream.MoveNext(default).FailAsync(StatusCode.NotFound);
    }

    [Fact]
    public async Task EachIdHasItsOwnKeys()
    {
        await using var step = new ForwardedStep(new Dictionary<string, ISshAgent> { ["default"] = Keys(), ["git"] = new KeyAgent([Ecdsa()]) });
        Assert.Equal(0, Count(await AskAsync(step, "default", List)));
        Assert.Equal(1, Count(await AskAsync(step, "git", List)));
        Assert.Equal(0, Count(await AskAsync(step, "", List)));
    }

    [Theory]
    [InlineData(1)] // the first protocol's list
    [InlineData(17)] // add a key
    [InlineData(18)] // remove a key
    [InlineData(19)] // remove all keys
    [InlineData(20)] // add from a token
    [InlineData(22)] // lock
    [InlineData(23)] // unlock
    [InlineData(25)] // add with constraints
    [InlineData(27)] // extension
    [InlineData(255)]
    public async Task EverythingButListingAndSigningIsRefused(byte type)
    {
        await using var step = new ForwardedStep(new Dictionary<string, ISshAgent> { ["default"] = new Forbidden() });
        Assert.Equal(Refused, await AskAsync(step, "default", Message([type, 1, 2, 3])));
    }

    [SkippableFact]
    public async Task AStepCannotChangeTheUsersAgent()
    {
        await using var agent = await TestAgent.StartAsync();
        await using var step = await ForwardedStep.OpenAsync(agent.Socket);
        var before = await agent.ListAsync();

        Assert.Equal(before, (await OpenSsh.RunAsync(step.Socket, "ssh-add", "-L")).OutputOrThrow());
        (await OpenSsh.RunAsync(step.Socket, "ssh-add", "-T", agent.Key + ".pub")).OutputOrThrow();
        Assert.NotEqual(0, (await OpenSsh.RunAsync(step.Socket, "ssh-add", "-D")).ExitCode);
        Assert.NotEqual(0, (await OpenSsh.RunAsync(step.Socket, "ssh-add", "-d", agent.Key)).ExitCode);
        await OpenSsh.KeygenAsync(_directory.At("other"), "-t ed25519");
        Assert.NotEqual(0, (await OpenSsh.RunAsync(step.Socket, "ssh-add", _directory.At("other"))).ExitCode);

        Assert.Equal(before, await agent.ListAsync());
    }

    [Fact]
    public async Task RequestsMayComeInPiecesAndSeveralAtOnce()
    {
        await using var step = new ForwardedStep(new Dictionary<string, ISshAgent> { ["default"] = Keys() });
        using var call = step.Call();
        byte[] all = [.. List, .. Message([17]), .. List, .. Message(new byte[70_000]), .. List];
        foreach (var size in new[] { 1, 1, 1, 1, 1, 3, 2, 5, 30_000, 40_000 })
            await SendAsync(call, all[..size], () => all = all[size..]);
        await SendAsync(call, all, () => { });
        await call.RequestStream.CompleteAsync();
        Assert.Equal([12, 5, 12, 5, 12], (await ReadToEndAsync(call)).Select(reply => (int)reply[4]));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);

        static async Task SendAsync(AsyncDuplexStreamingCall<BytesMessage, BytesMessage> call, byte[] piece, Action after)
        {
            await call.RequestStream.WriteAsync(new BytesMessage { Data = ByteString.CopyFrom(piece) }, default);
            after();
        }
    }

    [Fact]
    public async Task AStepThatHasAskedAndSaysNoMoreStillGetsItsAnswer()
    {
        await using var step = new ForwardedStep(new Dictionary<string, ISshAgent> { ["default"] = Keys() });
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(step.Socket));
        await socket.SendAsync(List);
        using var stream = new NetworkStream(socket);
        socket.Shutdown(SocketShutdown.Send);
        using var answer = new MemoryStream();
        await stream.CopyToAsync(answer).WaitAsync(ClientTestCalls.Guard);
        Assert.Equal(0, Count(answer.ToArray()));
    }

    [Fact]
    public async Task AConnectionThatEndsWithinARequestEnds()
    {
        await using var step = new ForwardedStep(new Dictionary<string, ISshAgent> { ["default"] = Keys() });
        using var call = step.Call();
        await call.RequestStream.WriteAsync(new BytesMessage { Data = ByteString.CopyFrom(List, 0, 3) }, default);
        await call.RequestStream.CompleteAsync();
        Assert.Empty(await ReadToEndAsync(call));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(256 * 1024 + 1)]
    [InlineData(int.MaxValue)]
    public async Task AnImpossibleLengthEndsTheConnectionAndNotTheService(int length)
    {
        await using var step = new ForwardedStep(new Dictionary<string, ISshAgent> { ["default"] = Keys() });
        using var call = step.Call();
        var prefix = new byte[5];
        BinaryPrimitives.WriteInt32BigEndian(prefix, length);
        await call.RequestStream.WriteAsync(new BytesMessage { Data = ByteString.CopyFrom(prefix) }, default);
        await call.ResponseStream.MoveNext(default).FailAsync(StatusCode.InvalidArgument);
        Assert.Equal(0, Count(await AskAsync(step, "default", List)));
    }

    [Theory]
    [InlineData(new byte[] { })]
    [InlineData(new byte[] { 0, 0, 0, 9, 1 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 })]
    public async Task ASignRequestThatMakesNoSenseIsRefused(byte[] content)
    {
        await using var step = new ForwardedStep(new Dictionary<string, ISshAgent> { ["default"] = new KeyAgent([Ecdsa()]) });
        Assert.Equal(Refused, await AskAsync(step, "default", Message([SshAgentMessage.SignRequest, .. content])));
    }

    [Theory]
    [InlineData(0u, "ssh-rsa", "SHA1")]
    [InlineData(2u, "rsa-sha2-256", "SHA256")]
    [InlineData(4u, "rsa-sha2-512", "SHA512")]
    [InlineData(6u, "rsa-sha2-512", "SHA512")]
    public async Task TheFlagsChooseTheHashOfRsa(uint flags, string algorithm, string hash)
    {
        using var key = RSA.Create(2048);
        var agent = new RsaPrivateKey(RSA.Create(key.ExportParameters(true)));
        await using var step = new ForwardedStep(new Dictionary<string, ISshAgent> { ["default"] = new KeyAgent([agent]) });
        var request = new SshWriter();
        request.WriteByte(SshAgentMessage.SignRequest);
        request.WriteString(agent.PublicBlob);
        request.WriteString("data");
        request.WriteUInt32(flags);

        var reply = await AskAsync(step, "default", Message(request.ToArray()));

        Assert.Equal(SshAgentMessage.SignResponse, reply[4]);
        var outer = new SshReader(reply.AsSpan(5));
        Assert.True(outer.TryReadString(out var blob));
        var inner = new SshReader(blob);
        Assert.True(inner.TryReadString(out var name));
        Assert.True(inner.TryReadString(out var signature));
        Assert.True(inner.Rest.IsEmpty);
        Assert.Equal(algorithm, System.Text.Encoding.ASCII.GetString(name));
        Assert.True(key.VerifyData("data"u8, signature, new HashAlgorithmName(hash), RSASignaturePadding.Pkcs1));
    }

    [SkippableFact]
    public async Task ManyConnectionsAreServedAtOnce()
    {
        await using var agent = await TestAgent.StartAsync();
        await using var step = await ForwardedStep.OpenAsync(agent.Socket);
        var calls = Enumerable.Range(0, 100).Select(_ => step.Call()).ToList();
        // All are open before the first one is answered.
        await Task.WhenAll(calls.Select(call => call.RequestStream.WriteAsync(new BytesMessage { Data = ByteString.CopyFrom(List, 0, 4) }, default).AsTask()));
        await Task.WhenAll(calls.Select(call => call.RequestStream.WriteAsync(new BytesMessage { Data = ByteString.CopyFrom(List, 4, 1) }, default).AsTask()));
        foreach (var call in calls)
        {
            Assert.True(await call.ResponseStream.MoveNext(default).WaitAsync(ClientTestCalls.Guard));
            Assert.Equal(1, Count(call.ResponseStream.Current.Data.ToByteArray()));
            call.Dispose();
        }
    }

    [SkippableFact]
    public async Task AnAgentThatDiesEndsItsConnectionsWithAnErrorThatNamesIt()
    {
        await using var agent = await TestAgent.StartAsync();
        await using var step = await ForwardedStep.OpenAsync(agent.Socket);
        using var call = step.Call();
        await call.RequestStream.WriteAsync(new BytesMessage { Data = ByteString.CopyFrom(List) }, default);
        Assert.True(await call.ResponseStream.MoveNext(default).WaitAsync(ClientTestCalls.Guard));
        await agent.KillAsync();
        await call.RequestStream.WriteAsync(new BytesMessage { Data = ByteString.CopyFrom(List) }, default);
        Assert.Contains(agent.Socket, (await call.ResponseStream.MoveNext(default).FailAsync(StatusCode.Unknown)).Status.Detail, StringComparison.Ordinal);
        using var another = step.Call();
        Assert.Contains(agent.Socket, (await another.ResponseStream.MoveNext(default).FailAsync(StatusCode.Unknown)).Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAgentThatWaitsIsLeftWhenTheStepIsCancelled()
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_directory.At("silent.sock")));
        listener.Listen();
        await using var step = await ForwardedStep.OpenAsync(_directory.At("silent.sock"));
        (await listener.AcceptAsync()).Dispose(); // the look before the build
        using var stop = new CancellationTokenSource();
        using var call = step.Call(cancellationToken: stop.Token);
        await call.RequestStream.WriteAsync(new BytesMessage { Data = ByteString.CopyFrom(List) }, default);
        using var connection = await listener.AcceptAsync();
        var buffer = new byte[64];
        Assert.Equal(List.Length, await connection.ReceiveAsync(buffer).WaitAsync(ClientTestCalls.Guard));
        await stop.CancelAsync();
        Assert.Equal(0, await connection.ReceiveAsync(buffer).WaitAsync(ClientTestCalls.Guard));
    }

    [Fact]
    public async Task WhatAnswersLikeNoAgentIsNamed()
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_directory.At("web.sock")));
        listener.Listen();
        await using var step = await ForwardedStep.OpenAsync(_directory.At("web.sock"));
        (await listener.AcceptAsync()).Dispose();
        using var call = step.Call();
        await call.RequestStream.WriteAsync(new BytesMessage { Data = ByteString.CopyFrom(List) }, default);
        using var connection = await listener.AcceptAsync();
        await connection.SendAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray());
        Assert.Contains("web.sock", (await call.ResponseStream.MoveNext(default).FailAsync(StatusCode.Unknown)).Status.Detail, StringComparison.Ordinal);
    }

    private static KeyAgent Keys() => new([]);

    private static EcdsaPrivateKey Ecdsa() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256), SshCurve.All[0]);

    private static byte[] Message(byte[] content)
    {
        var message = new byte[4 + content.Length];
        BinaryPrimitives.WriteInt32BigEndian(message, content.Length);
        content.CopyTo(message, 4);
        return message;
    }

    private static int Count(byte[] identities)
    {
        Assert.Equal(SshAgentMessage.IdentitiesAnswer, identities[4]);
        Assert.Equal(identities.Length - 4, BinaryPrimitives.ReadInt32BigEndian(identities));
        return BinaryPrimitives.ReadInt32BigEndian(identities.AsSpan(5));
    }

    private static async Task<byte[]> AskAsync(ForwardedStep step, string id, byte[] request)
    {
        using var call = step.Call(id);
        await call.RequestStream.WriteAsync(new BytesMessage { Data = ByteString.CopyFrom(request) }, default);
        await call.RequestStream.CompleteAsync();
        return Assert.Single(await ReadToEndAsync(call));
    }

    private static async Task<List<byte[]>> ReadToEndAsync(AsyncDuplexStreamingCall<BytesMessage, BytesMessage> call)
    {
        using var guard = new CancellationTokenSource(ClientTestCalls.Guard);
        var replies = new List<byte[]>();
        await foreach (var reply in call.ResponseStream.ReadAllAsync(guard.Token))
            replies.Add(reply.Data.ToByteArray());
        return replies;
    }

    /// <summary>An agent that nothing may reach.</summary>
    private sealed class Forbidden : ISshAgent, ISshAgentConnection
    {
        public ValueTask<ISshAgentConnection> ConnectAsync(CancellationToken cancellationToken) => ValueTask.FromResult<ISshAgentConnection>(this);

        public ValueTask<ReadOnlyMemory<byte>> AnswerAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("The request came through.");

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        public void Dispose()
        {
        }
    }
}
