using System.Security;
using System.Text;
using BuildKit.Files;
using BuildKit.Grpc;
using BuildKit.Protocol.Control;
using BuildKit.Protocol.Secrets;
using BuildKit.Session.Secrets;
using BuildKit.Solve;
using BuildKit.Solve.Planning;
using BuildKit.Tests.Grpc;
using BuildKit.Tests.Solve;
using Xunit;
using SolveRequest = BuildKit.Solve.SolveRequest;

namespace BuildKit.Tests.Session.Secrets;

public sealed class SecretServiceTests : IDisposable
{
    private const string Value = "s3cr3t value ö";

    // GetSecretResponse is, on the wire, what BytesMessage is.
    private static readonly Method<GetSecretRequest, BytesMessage> GetSecret =
        Method.Protobuf<GetSecretRequest, BytesMessage>(MethodType.Unary, "moby.buildkit.secrets.v1.Secrets", "GetSecret");

    private readonly BuildContextDirectory _directory = new();
    private readonly string _variable = $"BUILDKIT_TEST_{Guid.NewGuid():N}";

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(_variable, null);
        _directory.Dispose();
    }

    [Fact]
    public async Task EveryKindOfSecretGivesItsBytes()
    {
        _directory.Write("file", Value);
        Environment.SetEnvironmentVariable(_variable, Value);
        using var secure = Secure(Value);
        var binary = new byte[] { 0, 255, 10, 13, 128 };
        var secrets = new[]
        {
            SolveSecret.FromFile("file", _directory.At("file")),
            SolveSecret.FromEnvironment("variable", _variable),
            SolveSecret.FromValue("secure", secure),
            SolveSecret.FromValue("bytes", binary),
            SolveSecret.FromValue("empty", ReadOnlyMemory<byte>.Empty),
            SolveSecret.FromProvider("provider", async _ => { await Task.Yield(); return Encoding.UTF8.GetBytes(Value); }),
        };
        Assert.Equal(Value, await GetTextAsync(secrets, "file"));
        Assert.Equal(Value, await GetTextAsync(secrets, "variable"));
        Assert.Equal(Value, await GetTextAsync(secrets, "secure"));
        Assert.Equal(Value, await GetTextAsync(secrets, "provider"));
        Assert.Equal(binary, await GetAsync(secrets, "bytes"));
        Assert.Empty(await GetAsync(secrets, "empty"));
    }

    [Fact]
    public async Task TheValueIsReadWhenItIsAskedFor()
    {
        _directory.Write("file", "before");
        await using var plan = await PlanAsync(SolveSecret.FromFile("x", _directory.At("file")));
        await using var channel = new ServerTestChannel(plan.Services.Single().Definition);
        _directory.Write("file", "after");
        Assert.Equal("after", Encoding.UTF8.GetString((await CallAsync(channel, "x")).Data.Span));
        File.Delete(_directory.At("file"));
        var failure = await CallAsync(channel, "x").FailAsync(StatusCode.Unknown);
        var behind = plan.Services.Single().FailureBehind($"failed to solve: rpc error: code = Unknown desc = {failure.Status.Detail}");
        Assert.Equal("BuildKit.SecretNotFound", behind?.ErrorId);
        Assert.Null(plan.Services.Single().FailureBehind("failed to solve: something else"));
    }

    [Fact]
    public async Task AnUnknownIdIsNotFoundSoThatTheDaemonMayGoOn() =>
        await GetAsync([SolveSecret.FromValue("x", new byte[1])], "other").FailAsync(StatusCode.NotFound);

    [Fact]
    public async Task OfTwoWithOneIdTheLastCounts() =>
        Assert.Equal("2", await GetTextAsync([SolveSecret.FromValue("x", "1"u8.ToArray()), SolveSecret.FromValue("x", "2"u8.ToArray())], "x"));

    [Theory]
    [InlineData(500 * 1024, true)]
    [InlineData(500 * 1024 + 1, false)]
    public async Task ASecretMayHave500KiB(int size, bool fits)
    {
        await File.WriteAllBytesAsync(_directory.At("file"), new byte[size]);
        var file = SolveSecret.FromFile("x", _directory.At("file"));
        var value = SolveSecret.FromValue("x", new byte[size]);
        if (fits)
        {
            Assert.Equal(size, (await GetAsync([file], "x")).Length);
            Assert.Equal(size, (await GetAsync([value], "x")).Length);
            return;
        }
        Assert.Equal("BuildKit.SecretTooLarge", (await Assert.ThrowsAsync<BuildKitException>(() => PlanAsync(file))).ErrorId);
        Assert.Contains("500 KiB", (await GetAsync([value], "x").FailAsync(StatusCode.Unknown)).Status.Detail, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task APipeIsReadOnceAndWhenItIsAskedFor()
    {
        Skip.IfNot(OperatingSystem.IsLinux());
        var path = _directory.At("pipe");
        Assert.Equal(0, UnixNative.MakeFifo(path, 0b110_000_000));
        await using var plan = await PlanAsync(SolveSecret.FromFile("x", path)).WaitAsync(ClientTestCalls.Guard);
        await using var channel = new ServerTestChannel(plan.Services.Single().Definition);
        var answer = CallAsync(channel, "x");
        await File.WriteAllTextAsync(path, Value).WaitAsync(ClientTestCalls.Guard);
        Assert.Equal(Value, (await answer).Data.ToStringUtf8());
    }

    [Fact]
    public async Task WhatIsNotThereIsRefusedBeforeTheBuild()
    {
        await FailsAsync(SolveSecret.FromFile("x", _directory.At("nothing")), "BuildKit.SecretNotFound");
        await FailsAsync(SolveSecret.FromFile("x", Path.Combine(_directory.Path, "no", "where")), "BuildKit.SecretNotFound");
        await FailsAsync(SolveSecret.FromFile("x", _directory.Path), "BuildKit.InvalidSecret");
        await FailsAsync(SolveSecret.FromEnvironment("x", _variable), "BuildKit.SecretNotFound");
        await FailsAsync(new SolveSecret { Id = "x" }, "BuildKit.InvalidSecret");
        await FailsAsync(SolveSecret.FromValue("", new byte[1]), "BuildKit.InvalidSecret");
        await FailsAsync(new SolveSecret { Id = "x", FilePath = "/x", EnvironmentVariable = "X" }, "BuildKit.InvalidSecret");
        await FailsAsync(SolveSecret.FromValue("x", new byte[1]) with { FilePath = "/x" }, "BuildKit.InvalidSecret");

        static async Task FailsAsync(SolveSecret secret, string errorId)
        {
            var failure = await Assert.ThrowsAsync<BuildKitException>(() => PlanAsync(secret));
            Assert.Equal(errorId, failure.ErrorId);
            Assert.NotNull(failure.RecommendedAction);
        }
    }

    [Fact]
    public async Task AProviderThatFailsIsNamedWithoutItsWords()
    {
        await using var plan = await PlanAsync(SolveSecret.FromProvider("x", _ => throw new InvalidOperationException("the vault said " + Value)));
        await using var channel = new ServerTestChannel(plan.Services.Single().Definition);
        var failure = await CallAsync(channel, "x").FailAsync(StatusCode.Unknown);
        Assert.DoesNotContain(Value, failure.ToString(), StringComparison.Ordinal);
        var behind = plan.Services.Single().FailureBehind(failure.Status.Detail);
        Assert.Equal("BuildKit.SecretProviderFailed", behind?.ErrorId);
        Assert.DoesNotContain(Value, behind!.Message, StringComparison.Ordinal);
        Assert.IsType<InvalidOperationException>(behind.InnerException);
    }

    [Fact]
    public async Task NoSecretsMeansNoService()
    {
        await using var plan = await PlanAsync();
        Assert.Empty(plan.Services);
    }

    [Fact]
    public void NothingThatPrintsASecretShowsItsValue()
    {
        using var secure = Secure(Value);
        foreach (var secret in new[]
        {
            SolveSecret.FromValue("x", Encoding.UTF8.GetBytes(Value)),
            SolveSecret.FromValue("x", secure),
            SolveSecret.FromProvider("x", _ => ValueTask.FromResult<ReadOnlyMemory<byte>>(Encoding.UTF8.GetBytes(Value))),
        })
        {
            Assert.Equal("SolveSecret { Id = x }", secret.ToString());
            Assert.Equal("""{"Id":"x","FilePath":null,"EnvironmentVariable":null}""", System.Text.Json.JsonSerializer.Serialize(secret));
            Assert.DoesNotContain(Value, new SolveRequest { Secrets = [secret] }.ToString(), StringComparison.Ordinal);
        }
        Assert.Equal("SolveSecret { Id = x, FilePath = /f }", SolveSecret.FromFile("x", "/f").ToString());
        Assert.Equal("SolveSecret { Id = x, EnvironmentVariable = V }", SolveSecret.FromEnvironment("x", "V").ToString());
    }

    [Fact]
    public void AValueIsOverwrittenWhenItIsNoLongerNeeded()
    {
        var value = SecretValue.Of(Value);
        var memory = value.Memory;
        Assert.Equal(Value, Encoding.UTF8.GetString(memory.Span));
        value.Dispose();
        Assert.True(value.Memory.IsEmpty);
        Assert.DoesNotContain(memory.ToArray(), octet => octet != 0);
    }

    private static SecureString Secure(string text)
    {
        var secure = new SecureString();
        foreach (var c in text)
            secure.AppendChar(c);
        return secure;
    }

    private static async Task<SolvePlan> PlanAsync(params SolveSecret[] secrets)
    {
        var plan = new SolvePlan();
        await SecretPlanner.AddToAsync(plan, new SolveRequest { Secrets = secrets }, default);
        return plan;
    }

    private static async Task<byte[]> GetAsync(SolveSecret[] secrets, string id)
    {
        await using var plan = await PlanAsync(secrets);
        await using var channel = new ServerTestChannel(plan.Services.Single().Definition);
        return (await CallAsync(channel, id)).Data.ToByteArray();
    }

    private static async Task<string> GetTextAsync(SolveSecret[] secrets, string id) => Encoding.UTF8.GetString(await GetAsync(secrets, id));

    private static Task<BytesMessage> CallAsync(ServerTestChannel channel, string id) =>
        channel.Channel.AsyncUnaryCall(GetSecret, default, new GetSecretRequest { ID = id }).ResponseAsync.WaitAsync(ClientTestCalls.Guard);
}
