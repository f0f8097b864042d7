using System.Diagnostics;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Solve;

namespace BuildKit.Tests.Session.Ssh;

/// <summary>OpenSSH's agent, with a key.</summary>
internal sealed class TestAgent : IAsyncDisposable
{
    private readonly BuildContextDirectory _directory = new();
    private readonly Process _process;

    private TestAgent()
    {
        Socket = _directory.At("agent.sock");
        _process = Process.Start(new ProcessStartInfo("ssh-agent", ["-D", "-a", Socket]) { RedirectStandardOutput = true })!;
    }

    public string Socket { get; }

    /// <summary>The key's file; the agent has it already.</summary>
    public string Key => _directory.At("key");

    public static async Task<TestAgent> StartAsync()
    {
        await OpenSsh.RequireAsync();
        var agent = new TestAgent();
        // It says where it listens once it does.
        await agent._process.StandardOutput.ReadLineAsync().WaitAsync(Poll.Patience);
        await OpenSsh.KeygenAsync(agent.Key, "-t ed25519");
        (await OpenSsh.RunAsync(agent.Socket, "ssh-add", "-q", agent.Key)).OutputOrThrow();
        return agent;
    }

    public async Task<string> ListAsync() => (await OpenSsh.RunAsync(Socket, "ssh-add", "-L")).Output;

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
        _directory.Dispose();
    }
}
