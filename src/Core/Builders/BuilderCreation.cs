using System.Text;
using BuildKit.Builders.Drivers;
using BuildKit.Builders.Store;

namespace BuildKit.Builders;

/// <summary>Puts builders and nodes into the store, by the rules of <c>docker buildx create</c> (builder/builder.go Create, store/nodegroup.go Update).</summary>
internal sealed class BuilderCreation(BuilderSettings settings, BuilderCreateOptions options)
{
    /// <summary>Creates it.</summary>
    /// <param name="timeout">How long the node may take to say how it is.</param>
    /// <param name="cancellationToken">Ends it; nothing is stored then.</param>
    /// <returns>The builder, with the status of all of its nodes.</returns>
    public async Task<BuildKitBuilder> RunAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var key = options.Use ? settings.Docker.CurrentKey : null;
        var name = await CheckNameAsync(cancellationToken).ConfigureAwait(false);
        var existing = name is null ? null : settings.Store.Read().Find(name);
        var driver = BuilderDrivers.ForCreation(DriverName(existing));
        var node = await DescribeAsync(driver, existing, cancellationToken).ConfigureAwait(false);

        // The drivers, and the daemons behind them, are asked before the store is locked: others wait for it.
        var (planned, index) = Plan(name ?? RandomName.Create(settings.Store.Read().ListNames().Contains), existing, driver, node);
        driver.Validate(planned.Nodes[index]);
        planned = await NodeInspector.InspectAsync(settings, planned, timeout, cancellationToken).ConfigureAwait(false);
        if (driver.OwnsDaemon && planned.Nodes[index] is { Status: BuildKitNodeStatus.Error } dead)
            throw Unreachable(planned.Name, dead);

        using var store = await settings.Store.LockAsync(cancellationToken).ConfigureAwait(false);
        var isFresh = name is null && store.Find(planned.Name) is not null;
        var builderName = isFresh ? RandomName.Create(candidate => store.Find(candidate) is not null) : planned.Name;
        var (builder, _) = Plan(builderName, store.Find(builderName), driver, node);
        store.Save(builder);
        if (key is not null)
            store.SetCurrent(key, builder.Name, global: false, isDefault: false);
        return builder with
        {
            Nodes = builder.Nodes.Select(stored => planned.Nodes.FirstOrDefault(asked => asked.Endpoint == stored.Endpoint) is { } asked
                ? stored with { Status = asked.Status, Version = asked.Version, WorkerPlatforms = asked.WorkerPlatforms, Error = asked.Error }
                : stored).ToList(),
            LastActivity = store.LastActivity(builder.Name),
        };
    }

    private async Task<string?> CheckNameAsync(CancellationToken cancellationToken)
    {
        if (options.NodeName is not null)
            BuilderName.Normalize(options.NodeName);
        if (string.IsNullOrEmpty(options.Name))
            return options.Append ? throw Invalid("BuildKit.BuilderNameMissing", "A node is to be added, but to no builder.", "Name the builder that gets the node.", null) : null;
        var name = BuilderName.Normalize(options.Name);
        var contexts = await settings.Docker.ListNamesAsync(cancellationToken).ConfigureAwait(false);
        return !contexts.Contains(name, StringComparer.OrdinalIgnoreCase) ? name : throw Invalid(
            "BuildKit.BuilderNameTaken", $"The name '{name}' is taken: the docker context '{name}' is a builder itself.", "Take another name.", name);
    }

    private string DriverName(BuildKitBuilder? existing) =>
        options.Driver is { Length: > 0 } named ? named
        : existing is not null ? existing.Driver
        : options.Endpoint is { Length: > 0 } endpoint ? (endpoint.Contains("://", StringComparison.Ordinal) ? "remote" : "docker-container")
        : settings.Variable("BUILDKIT_HOST") is not null ? "remote"
        : "docker-container";

    /// <summary>The node as it was asked for. Its name, and what was left out, are still open.</summary>
    private async Task<BuildKitNode> DescribeAsync(BuilderDriver driver, BuildKitBuilder? existing, CancellationToken cancellationToken)
    {
        var configPath = options.BuildkitdConfigPath ?? (driver.OwnsDaemon ? BuildkitdConfigFiles.FindDefault(settings.Store.Directory) : null);
        var files = configPath is null ? new Dictionary<string, byte[]>() : await BuildkitdConfigFiles.ReadAsync(configPath, cancellationToken).ConfigureAwait(false);
        var flags = options.BuildkitdFlags is null ? [] : BuildkitdFlags.Split(options.BuildkitdFlags);
        if (driver.OwnsDaemon)
        {
            var config = files.TryGetValue(BuildkitdConfigFiles.ConfigFile, out var bytes) ? Encoding.UTF8.GetString(bytes) : null;
            flags = BuildkitdFlags.WithDefaults(flags, options.DriverOptions ?? new Dictionary<string, string>(), config);
        }
        var keepsEndpoint = options.Endpoint is null && existing?.Nodes.Any(IsNamed) == true;
        return new BuildKitNode
        {
            Name = options.NodeName ?? string.Empty,
            Endpoint = keepsEndpoint ? string.Empty : await FindEndpointAsync(driver, cancellationToken).ConfigureAwait(false),
            Platforms = PlatformSpecifier.ParseMany(options.Platforms, "linux").ConvertAll(platform => platform.ToString()),
            DriverOptions = options.DriverOptions ?? new Dictionary<string, string>(),
            BuildkitdFlags = flags,
            Files = files,
        };
    }

    private async Task<string> FindEndpointAsync(BuilderDriver driver, CancellationToken cancellationToken)
    {
        if (!driver.OwnsDaemon)
        {
            return options.Endpoint is { Length: > 0 } address ? address : settings.Variable("BUILDKIT_HOST") ?? throw Invalid(
                "BuildKit.EndpointMissing", $"A builder of the driver '{driver.Name}' needs the address of a buildkitd.",
                "Give one, such as -Endpoint tcp://host:1234, or set $env:BUILDKIT_HOST.", null);
        }
        if (options.Endpoint is { Length: > 0 } endpoint)
        {
            if (DockerEndpoints.IsAddress(endpoint))
                return settings.Docker.ParseAddress(endpoint).Address;
            await settings.Docker.FindContextAsync(endpoint, null, engineOnly: true, cancellationToken).ConfigureAwait(false);
            if (endpoint != DockerEndpoints.DefaultContext)
                return endpoint;
        }
        var isCurrent = options.Endpoint is not { Length: > 0 };
        if (isCurrent && settings.Docker.Current is { Name: not DockerEndpoints.DefaultContext } context)
        {
            await settings.Docker.FindContextAsync(context.Name, context.Setting, engineOnly: true, cancellationToken).ConfigureAwait(false);
            return context.Name;
        }
        // The store keeps an address alone: who uses the builder later would have no certificates.
        var engine = await settings.Docker.FindContextAsync(DockerEndpoints.DefaultContext, null, engineOnly: true, cancellationToken).ConfigureAwait(false);
        return engine.Tls is null ? settings.Docker.DefaultAddress : throw Invalid(
            "BuildKit.EndpointHasTls", "The Engine of the environment ($env:DOCKER_HOST) is reached with certificates, which a builder can't keep.",
            "Create a docker context with them (docker context create), and give its name as -Endpoint.", null);
    }

    /// <summary>The builder with the node in it, added or changed.</summary>
    /// <returns>The builder, and where the node is.</returns>
    private (BuildKitBuilder Builder, int Index) Plan(string name, BuildKitBuilder? existing, BuilderDriver driver, BuildKitNode node)
    {
        if (existing is null && options.Append)
        {
            throw Invalid(
                "BuildKit.BuilderNotFound", $"There is no builder '{name}' that a node could be added to.", "Create it without -Append.", name, BuildKitErrorCategory.NotFound);
        }
        if (existing is not null && existing.Driver != driver.Name)
        {
            throw Invalid(
                "BuildKit.BuilderExists", $"The builder '{name}' exists, and its driver is '{existing.Driver}'.", "All nodes of a builder have one driver. Take another name.", name);
        }
        var nodes = existing?.Nodes.ToList() ?? [];
        var index = nodes.FindIndex(IsNamed);
        if (index < 0 && nodes.Count > 0 && !options.Append)
        {
            throw options.NodeName is null
                ? Invalid(
                    "BuildKit.BuilderExists", $"The builder '{name}' exists.",
                    "Take another name, add a node to it (-Append), name the node to change (-NodeName), or remove it first.", name)
                : Invalid("BuildKit.NodeNotFound", $"The builder '{name}' has no node '{options.NodeName}'.", "Add it with -Append.", options.NodeName, BuildKitErrorCategory.NotFound);
        }
        if (index < 0)
        {
            index = nodes.Count;
            nodes.Add(node with { Name = BuilderName.Normalize(options.NodeName ?? NextNodeName(name, nodes)) });
        }
        else
        {
            nodes[index] = Change(nodes[index], node);
        }
        if (nodes.FindIndex(other => other.Endpoint == nodes[index].Endpoint && other.Name != nodes[index].Name) is >= 0 and var twin)
        {
            throw Invalid(
                "BuildKit.EndpointTaken", $"The node '{nodes[twin].Name}' of the builder '{name}' is at {nodes[index].Endpoint} already.",
                "Each node needs an endpoint of its own.", nodes[index].Endpoint);
        }
        for (var i = 0; i < nodes.Count; i++)
        {
            // A platform belongs to the node that got it last.
            if (i != index)
                nodes[i] = nodes[i] with { Platforms = nodes[i].Platforms.Except(nodes[index].Platforms).ToList() };
        }
        return (new BuildKitBuilder { Name = name, Driver = driver.Name, Nodes = nodes.Select(known => known with { Builder = name }).ToList() }, index);
    }

    /// <summary>A node that exists, with what was given for it.</summary>
    private BuildKitNode Change(BuildKitNode known, BuildKitNode given) => known with
    {
        Endpoint = options.Endpoint is null ? known.Endpoint : given.Endpoint,
        Platforms = options.Platforms.Count == 0 ? known.Platforms : given.Platforms,
        DriverOptions = options.DriverOptions is null ? known.DriverOptions : given.DriverOptions,
        BuildkitdFlags = options.BuildkitdFlags is null ? known.BuildkitdFlags : given.BuildkitdFlags,
        Files = options.BuildkitdConfigPath is null
            ? known.Files
            : known.Files.Concat(given.Files).GroupBy(file => file.Key).ToDictionary(file => file.Key, file => file.Last().Value),
    };

    private bool IsNamed(BuildKitNode node) => options.NodeName is not null && node.Name == BuilderName.Normalize(options.NodeName);

    private static string NextNodeName(string builder, List<BuildKitNode> nodes) =>
        Enumerable.Range(0, nodes.Count + 1).Select(number => $"{builder}{number}").First(name => nodes.TrueForAll(node => node.Name != name));

    private static BuildKitException Unreachable(string builder, BuildKitNode node) => new(
        "BuildKit.NodeUnreachable", BuildKitErrorCategory.Connection, $"The builder '{builder}' is not created, because its node can't be asked for: {node.Error}",
        "See that the Docker Engine answers and what it runs under the node's name, or name another Engine with -Endpoint.")
    { Target = node.Endpoint };

    private static BuildKitException Invalid(string id, string message, string action, string? target, BuildKitErrorCategory category = BuildKitErrorCategory.InvalidArgument) =>
        new(id, category, message, action) { Target = target };
}
