using System.Diagnostics;
using System.Net.Sockets;
using Xunit;

namespace BuildKit.Tests.Engines;

public sealed class TestEnginesTests
{
    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver, "28.")]
    [InlineData(EngineKind.Docker28Containerd, "28.")]
    [InlineData(EngineKind.Docker26, "26.")]
    [InlineData(EngineKind.Docker26Containerd, "26.")]
    [InlineData(EngineKind.Docker20, "20.10.")]
    public async Task A_Docker_Engine_runs_its_base_image(EngineKind kind, string version)
    {
        var engine = await TestEngines.GetAsync(kind);

        Assert.StartsWith(version, (await engine.DockerAsync("version", "--format", "{{.Server.Version}}")).OutputOrThrow(), StringComparison.Ordinal);
        Assert.Equal("hello", (await engine.DockerAsync("run", "--rm", engine.BaseImage, "echo", "hello")).OutputOrThrow());
        Assert.Same(engine, await TestEngines.GetAsync(kind));
    }

    [SkippableTheory]
    [InlineData(EngineKind.BuildkitdUnix)]
    [InlineData(EngineKind.BuildkitdTls)]
    public async Task Buildkitd_builds_on_the_base_image(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var buildctl = await TestEngines.GetProgramAsync("buildctl");
        string[] tls = kind == EngineKind.BuildkitdTls
            ? ["--tlscacert", engine.CaCertificatePath, "--tlscert", engine.ClientCertificatePath, "--tlskey", engine.ClientKeyPath]
            : [];
        var context = Directory.CreateTempSubdirectory("buildkit-test-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(context.FullName, "Dockerfile"), $"FROM {engine.BaseImage}\nRUN echo $((6 * 7)) > /answer\n");
            var build = await CommandResult.RunAsync(buildctl, [
                "--addr", engine.Address.OriginalString, .. tls, "build", "--progress", "plain", "--frontend", "dockerfile.v0",
                "--local", "context=" + context.FullName, "--local", "dockerfile=" + context.FullName,
            ]);
            Assert.Contains("echo $((6 * 7))", build.Error, StringComparison.Ordinal);
            Assert.Equal(0, build.ExitCode);
        }
        finally
        {
            context.Delete(recursive: true);
        }
    }

    [SkippableFact]
    public async Task A_killed_private_engine_comes_back_with_its_data_at_its_address()
    {
        await using var engine = await TestEngines.StartPrivateAsync(EngineKind.Docker28Graphdriver);
        var address = engine.Address;
        (await engine.DockerAsync("tag", engine.BaseImage, "kept:1")).OutputOrThrow();

        await engine.KillAsync();
        Assert.NotEqual(0, (await engine.DockerAsync("version")).ExitCode);

        await engine.RestartAsync();
        Assert.Equal(address, engine.Address);
        Assert.Equal("kept:1", (await engine.DockerAsync("images", "kept", "--format", "{{.Repository}}:{{.Tag}}")).OutputOrThrow());
    }

    [SkippableFact]
    public async Task A_private_buildkitd_keeps_its_port()
    {
        await using var engine = await TestEngines.StartPrivateAsync(EngineKind.BuildkitdTls);
        var address = engine.Address;

        await engine.KillAsync();
        using (var refused = new TcpClient())
            await Assert.ThrowsAsync<SocketException>(() => refused.ConnectAsync(address.Host, address.Port));

        await engine.RestartAsync();
        Assert.Equal(address, engine.Address);
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
    }

    [SkippableFact]
    public async Task Nothing_of_an_engine_stays_when_its_owner_is_killed()
    {
        await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        using var owner = Process.Start("sleep", "600");
        var name = $"test-{Environment.ProcessId}-orphan";
        (await TestEngines.RunAsync("up", name, "docker28", "--owner", $"{owner.Id}")).OutputOrThrow();
        (await TestEngines.RunAsync("image", name)).OutputOrThrow();
        (await TestEngines.RunAsync("docker", name, "run", "-d", "base:1", "sleep", "600")).OutputOrThrow();
        var folder = (await TestEngines.RunAsync("dir", name)).OutputOrThrow();
        Assert.NotEmpty(ProcessesThatName(folder));

        owner.Kill();

        await Poll.UntilAsync(() => !Directory.Exists(folder));
        Assert.Empty(ProcessesThatName(folder));
        Assert.DoesNotContain(folder, await File.ReadAllTextAsync("/proc/self/mountinfo"), StringComparison.Ordinal);
        Assert.Contains("no engine", (await TestEngines.RunAsync("dir", name)).Error, StringComparison.Ordinal);
    }

    /// <summary>The command lines of the daemon, containerd and the shims hold the engine's folder; a zombie has none.</summary>
    private static List<string> ProcessesThatName(string folder)
    {
        var found = new List<string>();
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(path[^1])))
        {
            try
            {
                var line = File.ReadAllText(process + "/cmdline");
                if (line.Contains(folder, StringComparison.Ordinal))
                    found.Add(line.Replace('\0', ' '));
            }
            catch (IOException)
            {
            }
        }

        return found;
    }
}
