using System.Security;
using System.Security.Cryptography;
using System.Text;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>Secrets in the steps of real builds. What a step saw is known by its hash, which it prints.</summary>
public sealed class SecretTests : IDisposable
{
    private readonly BuildContextDirectory _context = new();
    private readonly string _variable = $"BUILDKIT_TEST_{Guid.NewGuid():N}";

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(_variable, null);
        _context.Dispose();
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker26)]
    [InlineData(EngineKind.Docker20)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task AStepReadsEveryKindOfSecret(EngineKind kind)
    {
        _context.Write("file", "from a file\n");
        Environment.SetEnvironmentVariable(_variable, "from the environment");
        using var secure = new SecureString();
        foreach (var c in "sécure")
            secure.AppendChar(c);
        var binary = RandomNumberGenerator.GetBytes(500 * 1024);
        var log = await BuildAsync(
            kind,
            """
            RUN --mount=type=secret,id=file --mount=type=secret,id=variable --mount=type=secret,id=secure \
                --mount=type=secret,id=binary,target=/deep/binary,mode=0440,uid=7,gid=8 --mount=type=secret,id=provided --mount=type=secret,id=absent \
                sha256sum /run/secrets/* /deep/binary && stat -c '%a %u:%g' /deep/binary && ls /run/secrets
            """,
            SolveSecret.FromFile("file", _context.At("file")),
            SolveSecret.FromEnvironment("variable", _variable),
            SolveSecret.FromValue("secure", secure),
            SolveSecret.FromValue("binary", binary),
            SolveSecret.FromProvider("provided", _ => ValueTask.FromResult<ReadOnlyMemory<byte>>("from a function"u8.ToArray())));

        Assert.Contains($"{Hash("from a file\n"u8)}  /run/secrets/file", log, StringComparison.Ordinal);
        Assert.Contains($"{Hash("from the environment"u8)}  /run/secrets/variable", log, StringComparison.Ordinal);
        Assert.Contains($"{Hash("sécure"u8)}  /run/secrets/secure", log, StringComparison.Ordinal);
        Assert.Contains($"{Hash(binary)}  /deep/binary", log, StringComparison.Ordinal);
        Assert.Contains($"{Hash("from a function"u8)}  /run/secrets/provided", log, StringComparison.Ordinal);
        Assert.Contains("440 7:8", log, StringComparison.Ordinal);
        Assert.DoesNotContain("absent", log, StringComparison.Ordinal);
    }

    // The frontends of older Engines do not know env=.
    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task AStepHasASecretInItsEnvironment(EngineKind kind)
    {
        var log = await BuildAsync(
            kind,
            """
            RUN --mount=type=secret,id=x,env=TOKEN --mount=type=secret,id=absent,env=NONE \
                echo "hash: $(printf %s "$TOKEN" | sha256sum)" "none: [$NONE]" && ls /run/secrets 2>/dev/null || true
            """,
            SolveSecret.FromValue("x", "in the environment"u8.ToArray()));
        Assert.Contains($"hash: {Hash("in the environment"u8)}", log, StringComparison.Ordinal);
        Assert.Contains("none: []", log, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver, true)]
    [InlineData(EngineKind.Docker28Containerd, false)]
    [InlineData(EngineKind.Docker20, true)]
    [InlineData(EngineKind.Docker20, false)]
    [InlineData(EngineKind.BuildkitdUnix, true)]
    public async Task ARequiredSecretThatIsMissingIsNamedWithAWayOut(EngineKind kind, bool others)
    {
        var failure = await Assert.ThrowsAsync<SolveFailedException>(() => BuildAsync(
            kind, "RUN --mount=type=secret,id=wanted,required=true cat /run/secrets/wanted", others ? [SolveSecret.FromValue("other", new byte[1])] : []));
        Assert.Equal("BuildKit.SecretNotFound", failure.ErrorId);
        Assert.Contains("wanted", failure.Message, StringComparison.Ordinal);
        Assert.Contains("-Secret", failure.RecommendedAction, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker20)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task AProviderThatFailsIsTheErrorOfTheBuild(EngineKind kind)
    {
        var failure = await Assert.ThrowsAsync<BuildKitException>(() => BuildAsync(
            kind, "RUN --mount=type=secret,id=x cat /run/secrets/x", SolveSecret.FromProvider("x", _ => throw new InvalidOperationException("the vault is sealed"))));
        Assert.Equal("BuildKit.SecretProviderFailed", failure.ErrorId);
        Assert.Equal("the vault is sealed", failure.InnerException?.Message);
    }

    private static string Hash(ReadOnlySpan<byte> value) => Convert.ToHexString(SHA256.HashData(value)).ToLowerInvariant();

    private static async Task<string> BuildAsync(EngineKind kind, string step, params SolveSecret[] secrets)
    {
        var engine = await TestEngines.GetAsync(kind);
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var log = new EventLog();
        // A secret is no part of a step's cache key.
        var request = new SolveRequest { DockerfileText = $"FROM {engine.BaseImage}\n{step}\n", NoCache = true, Secrets = secrets };
        await SolveOperation.RunAsync(connection, request, log, default).WaitAsync(TimeSpan.FromMinutes(2));
        return log.Text;
    }
}
