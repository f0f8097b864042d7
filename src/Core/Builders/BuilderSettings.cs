using BuildKit.Builders.Drivers;
using BuildKit.Builders.Store;
using BuildKit.Docker;

namespace BuildKit.Builders;

/// <summary>What decides about builders on this computer: the environment, the docker config with its contexts, and buildx's store.</summary>
internal sealed class BuilderSettings
{
    private readonly Func<string, string?> _getEnvironmentVariable;

    private BuilderSettings(Func<string, string?> getEnvironmentVariable, Func<string, bool> fileExists, DockerConfigFile config)
    {
        _getEnvironmentVariable = getEnvironmentVariable;
        Config = config;
        Store = BuilderStore.Default(config, getEnvironmentVariable);
        Docker = new DockerEndpoints(Variable, fileExists, config);
    }

    public DockerConfigFile Config { get; }

    public BuilderStore Store { get; }

    public DockerEndpoints Docker { get; }

    public static async Task<BuilderSettings> LoadAsync(
        Func<string, string?> getEnvironmentVariable, Func<string, bool> fileExists, CancellationToken cancellationToken)
    {
        var config = await DockerConfigFile.LoadAsync(DockerConfigFile.DefaultDirectory(getEnvironmentVariable), cancellationToken).ConfigureAwait(false);
        return new BuilderSettings(getEnvironmentVariable, fileExists, config);
    }

    /// <summary>A variable of the environment; null where it is empty.</summary>
    public string? Variable(string name) => _getEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    /// <summary>The names that can be given for a builder: <c>default</c>, buildx's builders, the docker contexts.</summary>
    public async Task<IReadOnlyList<string>> ListNamesAsync(CancellationToken cancellationToken)
    {
        IEnumerable<string> stored;
        try
        {
            stored = Store.Read().ListNames();
        }
        catch (BuildKitException)
        {
            stored = []; // whoever uses one of them is told
        }
        var contexts = await Docker.ListNamesAsync(cancellationToken).ConfigureAwait(false);
        return new[] { DockerEndpoints.DefaultContext }.Concat(stored).Concat(contexts).Distinct().ToList();
    }

    /// <summary>The builder that stands for a docker context, as buildx has it (store/storeutil, GetNodeGroup).</summary>
    public static BuildKitBuilder ContextBuilder(string context) => new()
    {
        Name = context,
        Driver = "docker",
        IsDockerContext = true,
        Nodes = new List<BuildKitNode> { new() { Builder = context, Name = context, Endpoint = context } },
    };

    /// <summary>The builder that stands for an address. What answers there only a connection tells.</summary>
    public static BuildKitBuilder AddressBuilder(string address) => new()
    {
        Name = address,
        Driver = string.Empty,
        Nodes = new List<BuildKitNode> { new() { Builder = address, Name = address, Endpoint = address } },
    };

    /// <summary>Where the use of a builder or docker context is written down; null for a name that can't be either's.</summary>
    public BuilderActivity? Activity(string name) => BuilderName.IsValid(name) ? new BuilderActivity(Store.Directory, name) : null;

    /// <summary>A node as its driver takes it.</summary>
    public BuilderNode Node(BuildKitBuilder builder, BuildKitNode node) => new(
        builder.Name, node,
        builder.IsDockerContext
            ? (context, stop) => Docker.FindContextAsync(context, null, engineOnly: false, stop)
            : Docker.FindEngineAsync,
        Config);

    /// <summary>The error for a name that means nothing.</summary>
    /// <param name="name">The name.</param>
    /// <param name="setting">The setting that named it, or null.</param>
    /// <param name="cancellationToken">Ends the search for the names that would have meant something.</param>
    public async Task<BuildKitException> NotFoundAsync(string name, string? setting, CancellationToken cancellationToken)
    {
        var names = await ListNamesAsync(cancellationToken).ConfigureAwait(false);
        var meant = NearestName.Find(name, names.Where(known => known != name)) is { } nearest ? $" Did you mean '{nearest}'?" : "";
        var error = new BuildKitException(
            "BuildKit.BuilderNotFound", BuildKitErrorCategory.NotFound, $"There is no builder and no docker context '{name}'.{meant}",
            $"There are: {string.Join(", ", names)}. Give one of them, create it (New-BuildKitBuilder), or give an address such as unix:///run/docker.sock or "
            + "tcp://127.0.0.1:1234.")
        { Target = name };
        return setting is null ? error : DockerEndpoints.ChosenBy(setting, error);
    }
}
