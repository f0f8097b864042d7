using BuildKit.Grpc;
using Xunit;
using static BuildKit.Tests.Grpc.ClientTestCalls;

namespace BuildKit.Tests.Grpc;

/// <summary>Calls of a gRPC client to the server.</summary>
public sealed class ServerCallTests
{
    [Fact]
    public async Task Unary()
    {
        await using var test = new ServerTestChannel(new ServerServiceDefinition().WithUnary((request, _) => Task.FromResult(request + "!")));
        Assert.Equal("hello!", await test.Channel.CallAsync());
        Assert.Equal("!", await test.Channel.CallAsync(string.Empty));
        Assert.Equal(["/test.Echo/Unary"], test.Server.MethodNames);
    }

    [Fact]
    public async Task ServerStreaming()
    {
        await using var test = new ServerTestChannel(new ServerServiceDefinition().WithServerStreaming(async (request, writer, context) =>
        {
            for (var i = 0; i < 1_000; i++)
                await writer.WriteAsync($"{request} {i}", context.CancellationToken);
        }));
        using var call = test.Channel.AsyncServerStreamingCall(ClientTestCalls.ServerStreaming, default, "n");
        var answers = new List<string>();
        await foreach (var answer in call.ResponseStream.ReadAllAsync())
            answers.Add(answer);
        Assert.Equal(Enumerable.Range(0, 1_000).Select(i => $"n {i}"), answers);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task ClientStreaming()
    {
        await using var test = new ServerTestChannel(new ServerServiceDefinition().WithClientStreaming(async (reader, context) =>
        {
            var length = 0;
            await foreach (var message in reader.ReadAllAsync(context.CancellationToken))
                length += message.Length;
            return $"{length}";
        }));
        using var call = test.Channel.AsyncClientStreamingCall(ClientTestCalls.ClientStreaming, default);
        for (var i = 0; i < 1_000; i++)
            await call.RequestStream.WriteAsync(new string('x', i), default);
        await call.RequestStream.CompleteAsync();
        Assert.Equal("499500", await call.ResponseAsync.WaitAsync(Guard));
    }

    [Fact]
    public async Task Duplex_ConversesMessageByMessage()
    {
        await using var test = new ServerTestChannel(new ServerServiceDefinition().WithDuplex(EchoAsync));
        using var call = test.Channel.AsyncDuplexStreamingCall(ClientTestCalls.Duplex, default);
        for (var i = 0; i < 200; i++)
        {
            // From one octet to several frames.
            var text = new string('d', 1 + (i * 500));
            await call.RequestStream.WriteAsync(text, default);
            Assert.True(await call.ResponseStream.MoveNext(default).WaitAsync(Guard));
            Assert.Equal(text, call.ResponseStream.Current);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(default).WaitAsync(Guard));
    }

    [Fact]
    public async Task MessagesOfMebibytes_PassBothWays()
    {
        await using var test = new ServerTestChannel(
            new ServerServiceDefinition().WithUnary((request, _) => Task.FromResult(request)));
        var text = string.Create(15_000_000, 0, static (span, _) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = (char)('a' + (i % 25));
        });
        Assert.True(text == await test.Channel.CallAsync(text), "What came back is what was sent.");
    }

    [Fact]
    public async Task Metadata_PassesBothWays()
    {
        Metadata? seen = null;
        await using var test = new ServerTestChannel(new ServerServiceDefinition().WithUnary(async (request, context) =>
        {
            seen = context.RequestHeaders;
            Assert.Equal("/test.Echo/Unary", context.Method);
            context.ResponseTrailers.Add("x-trailer", "end");
            context.ResponseTrailers.Add("x-trailer-bin", [0, 255, 3]);
            await context.WriteResponseHeadersAsync([new Metadata.Entry("x-header", "start"), new Metadata.Entry("x-header-bin", new byte[] { 1, 2, 3, 4 })]);
            return request;
        }));
        var call = test.Channel.AsyncUnaryCall(
            ClientTestCalls.Unary,
            new CallOptions([new Metadata.Entry("dir-name", "context"), new("include-patterns", "a"), new("include-patterns", "b"), new("raw-bin", new byte[] { 9, 8 })]),
            "x");
        await call.ResponseAsync.WaitAsync(Guard);
        Assert.Equal("context", seen!.GetValue("dir-name"));
        Assert.Equal(["a", "b"], seen.GetAll("include-patterns").Select(entry => entry.Value));
        Assert.Equal([9, 8], seen.GetValueBytes("raw-bin"));
        Assert.DoesNotContain(seen, entry => entry.Key is "content-type" or "te" || entry.Key.StartsWith("grpc-", StringComparison.Ordinal));
        var headers = await call.ResponseHeadersAsync;
        Assert.Equal("start", headers.GetValue("x-header"));
        Assert.Equal([1, 2, 3, 4], headers.GetValueBytes("x-header-bin"));
        Assert.Equal("end", call.GetTrailers().GetValue("x-trailer"));
        Assert.Equal([0, 255, 3], call.GetTrailers().GetValueBytes("x-trailer-bin"));
    }

    [Fact]
    public async Task RpcException_IsTheStatus_WithItsTrailers()
    {
        await using var test = new ServerTestChannel(new ServerServiceDefinition().WithUnary((_, context) =>
        {
            context.ResponseTrailers.Add("x-trailer", "1");
            throw new RpcException(new Status(StatusCode.NotFound, "50 % of «it»\nis missing"), [new Metadata.Entry("grpc-status-details-bin", new byte[] { 8, 5 })]);
        }));
        var failure = await test.Channel.CallAsync().FailAsync(StatusCode.NotFound);
        Assert.Equal("50 % of «it»\nis missing", failure.Status.Detail);
        Assert.Equal([8, 5], failure.Trailers.GetValueBytes("grpc-status-details-bin"));
        Assert.Equal("1", failure.Trailers.GetValue("x-trailer"));
    }

    [Fact]
    public async Task RpcException_AfterMessages_EndsTheStreamWithTheStatus()
    {
        await using var test = new ServerTestChannel(new ServerServiceDefinition().WithServerStreaming(async (_, writer, _) =>
        {
            await writer.WriteAsync("one", default);
            throw new RpcException(new Status(StatusCode.DataLoss, "gone"));
        }));
        using var call = test.Channel.AsyncServerStreamingCall(ClientTestCalls.ServerStreaming, default, "x");
        Assert.True(await call.ResponseStream.MoveNext(default).WaitAsync(Guard));
        var failure = await call.ResponseStream.MoveNext(default).FailAsync(StatusCode.DataLoss);
        Assert.Equal("gone", failure.Status.Detail);
    }

    [Fact]
    public async Task ForeignException_IsUnknown_AndItsWordsStayHere()
    {
        var reported = new List<(string Method, Exception Exception)>();
        await using var test = new ServerTestChannel(
            new ServerServiceDefinition().WithUnary((_, _) => throw new IOException("/home/me/secret")),
            new GrpcServerOptions { CallFailed = (method, exception) => reported.Add((method, exception)) });
        var failure = await test.Channel.CallAsync().FailAsync(StatusCode.Unknown);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
        Assert.Contains("IOException", failure.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(("/test.Echo/Unary", "/home/me/secret"), (reported.Single().Method, reported.Single().Exception.Message));
    }

    [Fact]
    public async Task BuildKitException_IsUnknown_WithItsMessage()
    {
        await using var test = new ServerTestChannel(new ServerServiceDefinition().WithUnary((_, _) => throw new BuildKitException("BuildKit.Test", BuildKitErrorCategory.InputOutput, "The file a.txt can't be read.")));
        Assert.Equal("The file a.txt can't be read.", (await test.Channel.CallAsync().FailAsync(StatusCode.Unknown)).Status.Detail);
    }

    [Fact]
    public async Task UnknownMethod_IsUnimplemented()
    {
        await using var test = new ServerTestChannel(new ServerServiceDefinition());
        var failure = await test.Channel.CallAsync().FailAsync(StatusCode.Unimplemented);
        Assert.Contains("/test.Echo/Unary", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MethodInTwoServices_IsRefused()
    {
        static ServerServiceDefinition Service() => new ServerServiceDefinition().WithUnary((request, _) => Task.FromResult(request));
        var (_, server) = BuildKit.Tests.Http2.MemoryDuplexStream.CreatePair();
        await using (server)
            Assert.Throws<ArgumentException>(() => new GrpcServer(server, [Service(), Service()]));
    }

    [Fact]
    public async Task MessageOverTheLimit_IsResourceExhausted()
    {
        await using var test = new ServerTestChannel(
            new ServerServiceDefinition().WithUnary((request, _) => Task.FromResult(request)), new GrpcServerOptions { MaxReceiveMessageSize = 1_000 });
        Assert.Equal(1_000, (await test.Channel.CallAsync(new string('x', 1_000))).Length);
        await test.Channel.CallAsync(new string('x', 1_001)).FailAsync(StatusCode.ResourceExhausted);
        Assert.Equal("again", await test.Channel.CallAsync("again"));
    }

    [Fact]
    public async Task HandlerThatEndsEarly_EndsTheCall_AndTheConnectionLivesOn()
    {
        await using var test = new ServerTestChannel(new ServerServiceDefinition().WithDuplex(async (reader, writer, context) =>
        {
            if (await reader.MoveNext(context.CancellationToken))
                await writer.WriteAsync("enough", context.CancellationToken);
        }));
        for (var round = 0; round < 3; round++)
        {
            using var call = test.Channel.AsyncDuplexStreamingCall(ClientTestCalls.Duplex, default);
            await call.RequestStream.WriteAsync("one", default);
            Assert.True(await call.ResponseStream.MoveNext(default).WaitAsync(Guard));
            Assert.False(await call.ResponseStream.MoveNext(default).WaitAsync(Guard));
            Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        }
    }

    [Fact]
    public async Task CancelledByTheClient_CancelsTheHandler_WhoseReadsAndWritesFail()
    {
        var seen = new TaskCompletionSource<(bool Cancelled, StatusCode Read, StatusCode Write)>();
        var reported = 0;
        await using var test = new ServerTestChannel(
            new ServerServiceDefinition().WithDuplex(async (reader, writer, context) =>
            {
                await reader.MoveNext(CancellationToken.None);
                await writer.WriteAsync("here", CancellationToken.None);
                var cancelled = new TaskCompletionSource();
                context.CancellationToken.Register(cancelled.SetResult);
                await cancelled.Task;
                var read = await Assert.ThrowsAnyAsync<Exception>(async () => await reader.MoveNext(CancellationToken.None));
                var write = await Assert.ThrowsAsync<RpcException>(async () => await writer.WriteAsync("more", CancellationToken.None));
                seen.SetResult((context.CancellationToken.IsCancellationRequested, (read as RpcException)?.StatusCode ?? StatusCode.Cancelled, write.StatusCode));
                context.CancellationToken.ThrowIfCancellationRequested();
            }),
            new GrpcServerOptions { CallFailed = (_, _) => reported++ });
        var call = test.Channel.AsyncDuplexStreamingCall(ClientTestCalls.Duplex, default);
        await call.RequestStream.WriteAsync("one", default);
        Assert.True(await call.ResponseStream.MoveNext(default).WaitAsync(Guard));
        call.Dispose();
        Assert.Equal((true, StatusCode.Cancelled, StatusCode.Cancelled), await seen.Task.WaitAsync(Guard));
        await test.Server.DisposeAsync();
        Assert.Equal(0, reported);
    }

    [Fact]
    public async Task DeadlineOfTheClient_CancelsTheHandler()
    {
        var seen = new TaskCompletionSource<(DateTime Deadline, DateTime Cancelled)>();
        await using var test = new ServerTestChannel(new ServerServiceDefinition().WithUnary(async (request, context) =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            }
            finally
            {
                seen.SetResult((context.Deadline, DateTime.UtcNow));
            }

            return request;
        }));
        await test.Channel.CallAsync(options: new CallOptions(Deadline: DateTime.UtcNow.AddSeconds(3))).FailAsync(StatusCode.DeadlineExceeded);
        var (deadline, cancelled) = await seen.Task.WaitAsync(Guard);
        Assert.InRange(deadline, DateTime.UtcNow.AddMinutes(-1), cancelled.AddSeconds(1));
    }

    [Fact]
    public async Task WithoutDeadline_ThereIsNone()
    {
        await using var test = new ServerTestChannel(new ServerServiceDefinition().WithUnary((_, context) => Task.FromResult(context.Deadline == DateTime.MaxValue ? "none" : "some")));
        Assert.Equal("none", await test.Channel.CallAsync());
    }

    [Fact]
    public async Task SerializerThatMiscounts_ResetsTheCall_SoThatNoWrongMessageArrives()
    {
        var wrong = new Method<string, string>(MethodType.Unary, "test.Echo", "Unary", Text, Text with { Size = _ => 3 });
        await using var test = new ServerTestChannel(new ServerServiceDefinition().AddMethod(wrong, static (string request, ServerCallContext _) => Task.FromResult(request)));
        Assert.Equal("abc", await test.Channel.CallAsync("abc"));
        await Assert.ThrowsAsync<RpcException>(() => test.Channel.CallAsync("four"));
        Assert.Equal("abc", await test.Channel.CallAsync("abc"));
    }

    [Fact]
    public async Task TwoWritesAtOnce_AreRefused()
    {
        await using var test = new ServerTestChannel(new ServerServiceDefinition().WithServerStreaming(async (_, writer, context) =>
        {
            // Far more than any window: the first write has to wait.
            var first = writer.WriteAsync(new string('x', 10_000_000), context.CancellationToken);
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.WriteAsync("y", context.CancellationToken));
            await first;
        }));
        using var call = test.Channel.AsyncServerStreamingCall(ClientTestCalls.ServerStreaming, default, "x");
        Assert.True(await call.ResponseStream.MoveNext(default).WaitAsync(Guard));
        Assert.False(await call.ResponseStream.MoveNext(default).WaitAsync(Guard));
    }

    [Fact]
    public async Task ManyCallsAtOnce_OfAllKinds()
    {
        await using var test = new ServerTestChannel(new ServerServiceDefinition()
            .WithUnary((request, _) => Task.FromResult(request))
            .WithDuplex(EchoAsync));
        await Task.WhenAll(Enumerable.Range(0, 150).Select(async i =>
        {
            var text = new string('m', i * 200);
            Assert.Equal(text, await test.Channel.CallAsync(text));
            using var call = test.Channel.AsyncDuplexStreamingCall(ClientTestCalls.Duplex, default);
            for (var round = 0; round < 10; round++)
            {
                await call.RequestStream.WriteAsync(text, default);
                Assert.True(await call.ResponseStream.MoveNext(default));
                Assert.Equal(text, call.ResponseStream.Current);
            }
        })).WaitAsync(Guard * 2);
    }

    private static async Task EchoAsync(IAsyncStreamReader<string> reader, IServerStreamWriter<string> writer, ServerCallContext context)
    {
        await foreach (var message in reader.ReadAllAsync(context.CancellationToken))
            await writer.WriteAsync(message, context.CancellationToken);
    }
}
