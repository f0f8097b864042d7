using System.Text.RegularExpressions;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Session.Ssh;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>SSH in the steps of real builds, where OpenSSH's own <c>ssh-add</c> talks to the agents.</summary>
public sealed partial class SshTests : IDisposable
{
    private readonly BuildContextDirectory _context = new();

    public void Dispose() => _context.Dispose();

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker20)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task AStepSignsWithAnAgentAndWithKeyFiles(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        await using var agent = await TestAgent.StartAsync();
        await AddSshAddAsync();
        foreach (var type in new[] { "rsa", "ecdsa", "ed25519" })
        {
            await OpenSsh.KeygenAsync(_context.At($"keys/{type}"), $"-t {type}");
            File.Copy(_context.At($"keys/{type}.pub"), _context.At($"image/pub/{type}.pub"));
        }
        File.Copy(agent.Key + ".pub", _context.At("image/pub/agent.pub"));
        // ssh-add -T signs by the agent and verifies by itself; more connections than one are open at a time.
        _context.Write("Dockerfile", $"""
            FROM {engine.BaseImage}
            COPY image /
            RUN --mount=type=ssh ssh-add -L && ssh-add -T /pub/agent.pub && ! ssh-add -D && ! ssh-add -T /pub/rsa.pub
            RUN --mount=type=ssh,id=files ssh-add -T /pub/rsa.pub /pub/ecdsa.pub /pub/ed25519.pub && ! ssh-add -T /pub/agent.pub && \
                for i in 1 2 3 4 5 6 7 8; do (ssh-add -T /pub/rsa.pub && touch /done.$i) & done; wait; ls /done.*
            RUN --mount=type=ssh,id=absent [ -S "$SSH_AUTH_SOCK" ] || echo "no agent"
            """);
        var log = new EventLog();
        await using var connection = await EngineConnection.ConnectAsync(engine);

        await SolveOperation.RunAsync(
            connection,
            new SolveRequest
            {
                Context = _context.Path,
                NoCache = true,
                Ssh = [new() { Paths = [agent.Socket] }, new() { Id = "files", Paths = [_context.At("keys/rsa"), _context.At("keys/ecdsa"), _context.At("keys/ed25519")] }],
            },
            log,
            default).WaitAsync(TimeSpan.FromMinutes(2));

        Assert.Contains(await agent.ListAsync(), log.Text, StringComparison.Ordinal);
        Assert.Contains("/done.8", log.Text, StringComparison.Ordinal);
        Assert.Contains("no agent", log.Text, StringComparison.Ordinal);
        Assert.NotEmpty(await agent.ListAsync());
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver, true)]
    [InlineData(EngineKind.Docker28Containerd, false)]
    [InlineData(EngineKind.Docker20, true)]
    [InlineData(EngineKind.Docker20, false)]
    [InlineData(EngineKind.BuildkitdUnix, true)]
    [InlineData(EngineKind.BuildkitdUnix, false)]
    public async Task ARequiredAgentThatIsMissingIsAnErrorWithAWayOut(EngineKind kind, bool others)
    {
        var engine = await TestEngines.GetAsync(kind);
        await OpenSsh.KeygenAsync(_context.At("key"), "-t ecdsa");
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var request = new SolveRequest
        {
            DockerfileText = $"FROM {engine.BaseImage}\nRUN --mount=type=ssh,id=wanted,required=true true\n",
            Ssh = others ? [new() { Paths = [_context.At("key")] }] : [],
        };
        var failure = await Assert.ThrowsAsync<SolveFailedException>(() => SolveOperation.RunAsync(connection, request, null, default).WaitAsync(TimeSpan.FromMinutes(2)));
        Assert.Equal("BuildKit.SshNotForwarded", failure.ErrorId);
        Assert.Contains("-Ssh", failure.RecommendedAction, StringComparison.Ordinal);
    }

    /// <summary>Puts <c>ssh-add</c> and its libraries into the image.</summary>
    private async Task AddSshAddAsync()
    {
        var program = (await CommandResult.RunAsync("sh", ["-c", "command -v ssh-add"])).OutputOrThrow();
        var libraries = LibraryPath().Matches((await CommandResult.RunAsync("ldd", [program])).OutputOrThrow()).Select(match => match.Value);
        File.Copy(program, _context.At("image/bin/ssh-add"));
        foreach (var library in libraries)
            File.Copy(library, _context.At("image" + library));
    }

    [GeneratedRegex(@"(?<=\s)/\S+")]
    private static partial Regex LibraryPath();
}
