namespace BuildKit.Tests.Engines;

/// <summary>One running daemon.</summary>
public sealed class TestEngine : IAsyncDisposable
{
    private readonly bool _isPrivate;

    internal TestEngine(EngineKind kind, string name, bool isPrivate)
    {
        Kind = kind;
        Name = name;
        _isPrivate = isPrivate;
    }

    /// <summary>What it is.</summary>
    public EngineKind Kind { get; }

    /// <summary>Its name for <c>tests/engines/engines</c>.</summary>
    public string Name { get; }

    /// <summary>unix:///path for Docker Engines and <see cref="EngineKind.BuildkitdUnix"/>, tcp://127.0.0.1:port for
    /// <see cref="EngineKind.BuildkitdTls"/>, http://127.0.0.1:port for registries.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>The folder with all of its files.</summary>
    public string Folder { get; private set; } = null!;

    /// <summary>A busybox image (its name for <c>FROM</c>) that this engine can use: in a Docker Engine's own store, for buildkitd in the run's registry.</summary>
    public string BaseImage { get; private set; } = null!;

    /// <summary>Where the daemon logs.</summary>
    public string LogPath => Path.Combine(Folder, "log");

    /// <summary>The certificate of the authority that signed both sides' certificates (<see cref="EngineKind.BuildkitdTls"/>).</summary>
    public string CaCertificatePath => Path.Combine(Folder, "tls", "ca.pem");

    /// <summary>The client's certificate (<see cref="EngineKind.BuildkitdTls"/>).</summary>
    public string ClientCertificatePath => Path.Combine(Folder, "tls", "cert.pem");

    /// <summary>The client's key (<see cref="EngineKind.BuildkitdTls"/>).</summary>
    public string ClientKeyPath => Path.Combine(Folder, "tls", "key.pem");

    /// <summary>True for the kinds that are Docker Engines.</summary>
    public bool IsDocker => !IsRegistry && Kind is not (EngineKind.BuildkitdUnix or EngineKind.BuildkitdTls);

    /// <summary>True for the kinds that are registries.</summary>
    public bool IsRegistry => Kind is EngineKind.Registry or EngineKind.RegistryBasic or EngineKind.RegistryToken;

    /// <summary>Runs the docker CLI (28.5, with buildx 0.29) against this Docker Engine, with a configuration that belongs to the engine.</summary>
    public Task<CommandResult> DockerAsync(params string[] arguments) => TestEngines.RunAsync(["docker", Name, .. arguments]);

    /// <summary>Puts the busybox image into this Docker Engine or registry under another name.</summary>
    /// <param name="name">Repository and tag, such as <c>public/base:1</c>.</param>
    /// <returns>What <c>FROM</c> calls it.</returns>
    public async Task<string> AddImageAsync(string name) => (await TestEngines.RunAsync("image", Name, name)).OutputOrThrow();

    /// <summary>kill -9 to the daemon and all that it started. Returns when they are gone.</summary>
    public async Task KillAsync()
    {
        RequirePrivate();
        (await TestEngines.RunAsync("kill", Name)).OutputOrThrow();
    }

    /// <summary>Starts the daemon again after <see cref="KillAsync"/>, with its data, at the same address.</summary>
    public async Task RestartAsync()
    {
        RequirePrivate();
        await StartAsync();
    }

    /// <summary>
    /// Starts it again after <see cref="KillAsync"/>, with nothing in its store and that on an overlay, as it is for an Engine in a container without a volume. The mounts are in the
    /// engine's own namespace and go with it.
    /// </summary>
    public async Task RestartOnOverlayAsync()
    {
        RequirePrivate();
        const string Mount = """
            data=$1; shift
            mount -t tmpfs tmpfs /mnt && mkdir /mnt/lower /mnt/upper /mnt/work
            mount -t overlay overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work "$data"
            exec bash "$@"
            """;
        (await CommandResult.RunAsync("unshare", ["--mount", "bash", "-ec", Mount, "-", Path.Combine(Folder, "data"), .. TestEngines.Command(UpArguments)])).OutputOrThrow();
    }

    /// <summary>Takes a private engine down and removes its data; a shared one stays.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isPrivate)
            (await TestEngines.RunAsync("down", Name)).OutputOrThrow();
    }

    private string[] UpArguments => ["up", Name, TestEngines.KindName(Kind), "--owner", Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)];

    internal async Task StartAsync()
    {
        var address = (await TestEngines.RunAsync(UpArguments)).OutputOrThrow();
        Address = new Uri(IsRegistry ? "http://" + address : address);
        Folder = (await TestEngines.RunAsync("dir", Name)).OutputOrThrow();
        BaseImage = IsDocker || IsRegistry
            ? (await TestEngines.RunAsync("image", Name)).OutputOrThrow()
            : (await TestEngines.GetAsync(EngineKind.Registry)).BaseImage;
    }

    private void RequirePrivate()
    {
        if (!_isPrivate)
            throw new InvalidOperationException("Other tests use this engine; take a private one.");
    }
}
