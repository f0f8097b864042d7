using BuildKit.Docker;
using BuildKit.Tests.Engines;
using BuildKit.Transport;

namespace BuildKit.Tests.Docker;

/// <summary>What the tests of pulls and pushes share.</summary>
internal static class EnginePulls
{
    // An Engine asks a registry that fails several times, with pauses.
    private static readonly TimeSpan Guard = TimeSpan.FromMinutes(3);

    /// <summary>The docker config of somebody who has logged in nowhere.</summary>
    public static DockerConfigFile NoConfig { get; } = new() { Directory = "/nonexistent" };

    /// <summary>The docker config of somebody who has logged in to one registry.</summary>
    public static DockerConfigFile Config(string host, DockerAuthConfig auth) => NoConfig with { Auths = new Dictionary<string, DockerAuthConfig> { [host] = auth } };

    /// <summary>What is sent for an account; nothing for nobody's.</summary>
    public static DockerAuthConfig Auth(RegistryAccount? account) =>
        account is null ? new DockerAuthConfig() : new DockerAuthConfig { Username = account.User, Password = account.Password };

    public static DockerEngineClient CreateClient(TestEngine engine) =>
        new(new UnixSocketTransport(new TransportTarget(engine.Address.OriginalString), engine.Address.AbsolutePath, Guard));

    /// <summary>The run's Engine of a kind, and its registry.</summary>
    public static async Task<(DockerEngineClient Client, TestEngine Registry)> ArrangeAsync(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        return (CreateClient(engine), await TestEngines.GetAsync(EngineKind.Registry));
    }

    public static Task<ImagePullResult> PullAsync(
        DockerEngineClient client, string name, string? platform = null, ImagePullPolicy policy = ImagePullPolicy.Always, DockerConfigFile? config = null,
        IProgress<ImagePullEvent>? events = null) =>
        ImagePull.RunAsync(client, name, platform, policy, config ?? NoConfig, events, default).WaitAsync(Guard);
}
