using BuildKit.Builders.Drivers;
using BuildKit.Builders.Store;

namespace BuildKit.Builders;

/// <summary>
/// The builders of this computer's user: those of buildx's store, which docker buildx sees too, and one for each docker context. Calls may run at the same time, here and in
/// docker buildx. Failures are <see cref="BuildKitException"/>.
/// </summary>
public sealed class BuilderManager
{
    private readonly Func<string, string?> _getEnvironmentVariable;
    private readonly Func<string, bool> _fileExists;
    private readonly EndpointResolver _resolver;

    /// <summary>Creates a manager that reads this process's environment and this user's docker config.</summary>
    public BuilderManager()
        : this(Environment.GetEnvironmentVariable, File.Exists, new EndpointResolver())
    {
    }

    internal BuilderManager(Func<string, string?> getEnvironmentVariable, Func<string, bool> fileExists, EndpointResolver? resolver = null)
    {
        _getEnvironmentVariable = getEnvironmentVariable;
        _fileExists = fileExists;
        _resolver = resolver ?? new EndpointResolver(getEnvironmentVariable, fileExists);
    }

    /// <summary>The drivers of which builders can be created.</summary>
    public static IReadOnlyList<string> Drivers { get; } = BuilderDrivers.Creatable;

    /// <summary>The options of a driver.</summary>
    /// <param name="driver">Its name.</param>
    /// <returns>The names of its options, <c>env.NAME</c> for any variable; none for a driver that has none or is unknown.</returns>
    public static IReadOnlyList<string> GetDriverOptionNames(string driver) => BuilderDrivers.OptionNames(driver).ToList();

    /// <summary>How long a node may take to say how it is, before it is given up; docker buildx waits for 20 s.</summary>
    public TimeSpan StatusTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Lists the builders as <c>docker buildx ls</c> does: those of the store, and those that stand for docker contexts. No node is asked.</summary>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The builders, the store's first, each group by name.</returns>
    public async Task<IReadOnlyList<BuildKitBuilder>> ListAsync(CancellationToken cancellationToken = default)
    {
        var settings = await LoadAsync(cancellationToken).ConfigureAwait(false);
        var reader = settings.Store.Read();
        var stored = reader.ListNames().Select(name => Find(reader, name)).OfType<BuildKitBuilder>().ToList();
        var contexts = await settings.Docker.ListNamesAsync(cancellationToken).ConfigureAwait(false);
        var implied = contexts.Where(context => stored.All(builder => builder.Name != context))
            .Select(context => BuilderSettings.ContextBuilder(context) with { LastActivity = reader.LastActivity(context) });
        var current = await FindCurrentAsync(cancellationToken).ConfigureAwait(false);
        return stored.Concat(implied).Select(builder => builder with { IsCurrent = builder.Name == current }).ToList();
    }

    /// <summary>Finds one builder. No node is asked.</summary>
    /// <param name="name">The name of a builder or docker context, or an address; null for what is used where none is named.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The builder; an address is one with a single node, whose driver is not known.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.BuilderNotFound</c>, <c>BuildKit.BuilderInvalid</c>, <c>BuildKit.InvalidEndpoint</c>.</exception>
    public async Task<BuildKitBuilder> GetAsync(string? name, CancellationToken cancellationToken = default)
    {
        var wanted = name ?? (await _resolver.FindChoiceAsync(cancellationToken).ConfigureAwait(false)).Name;
        var settings = await LoadAsync(cancellationToken).ConfigureAwait(false);
        var reader = settings.Store.Read();
        var builder = DockerEndpoints.IsAddress(wanted) ? BuilderSettings.AddressBuilder(settings.Docker.ParseAddress(wanted).Address) : reader.Find(wanted);
        if (builder is null && (await settings.Docker.ListNamesAsync(cancellationToken).ConfigureAwait(false)).Contains(wanted))
            builder = BuilderSettings.ContextBuilder(wanted) with { LastActivity = reader.LastActivity(wanted) };
        if (builder is null)
            throw await settings.NotFoundAsync(wanted, null, cancellationToken).ConfigureAwait(false);
        return builder with { IsCurrent = builder.Name == await FindCurrentAsync(cancellationToken).ConfigureAwait(false) };
    }

    /// <summary>Asks the nodes of a builder how they are, all at once, without starting any.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The builder with the status of its nodes; a node that can't be asked has the status <see cref="BuildKitNodeStatus.Error"/> and says why.</returns>
    public async Task<BuildKitBuilder> InspectAsync(BuildKitBuilder builder, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return await NodeInspector.InspectAsync(await LoadAsync(cancellationToken).ConfigureAwait(false), builder, StatusTimeout, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Creates a builder, adds a node to one, or changes a node, as <c>docker buildx create</c> does. Nothing is started.</summary>
    /// <param name="options">What to create.</param>
    /// <param name="cancellationToken">Ends it; nothing is stored then.</param>
    /// <returns>The builder with the status of its nodes.</returns>
    /// <exception cref="BuildKitException">An option can't be right, the name or endpoint is taken, or the Docker Engine that is to run the node can't be asked.</exception>
    public async Task<BuildKitBuilder> CreateAsync(BuilderCreateOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var created = await new BuilderCreation(await LoadAsync(cancellationToken).ConfigureAwait(false), options).RunAsync(StatusTimeout, cancellationToken).ConfigureAwait(false);
        return created with { IsCurrent = created.Name == await FindCurrentAsync(cancellationToken).ConfigureAwait(false) };
    }

    /// <summary>Starts the nodes that don't run, all at once, and returns when all of them answer.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="boot">Makes what is told of a node's boot; null where nobody listens.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>A task that completes when every node answers.</returns>
    /// <exception cref="BuildKitException">A node can't be started, or does not answer; <c>BuildKit.BuilderInvalid</c>.</exception>
    public async Task StartAsync(BuildKitBuilder builder, Func<BuildKitNode, IProgress<BuilderBootEvent>>? boot = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(builder);
        DemandReadable(builder);
        var settings = await LoadAsync(cancellationToken).ConfigureAwait(false);
        var driver = BuilderDrivers.Of(builder);
        await EachNodeAsync(builder, async node =>
        {
            var known = settings.Node(builder, node);
            await driver.BootAsync(known, boot?.Invoke(node), cancellationToken).ConfigureAwait(false);
            var endpoint = await driver.FindEndpointAsync(known, cancellationToken).ConfigureAwait(false);
            await (await BuildKitConnection.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    /// <summary>Stops the nodes. Their cache stays, and the next build starts them again.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>A task that completes when all are stopped.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.BuilderNotStoppable</c>: its daemons are somebody else's; <c>BuildKit.BuilderInvalid</c>.</exception>
    public async Task StopAsync(BuildKitBuilder builder, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(builder);
        DemandReadable(builder);
        var driver = BuilderDrivers.Of(builder);
        if (!driver.OwnsDaemon)
        {
            throw new BuildKitException(
                "BuildKit.BuilderNotStoppable", BuildKitErrorCategory.NotSupported,
                $"The builder '{builder.Name}' can't be stopped: {(builder.Driver.Length > 0 ? $"a builder of the driver '{builder.Driver}'" : "an address")} uses a daemon that is somebody else's.",
                builder.Driver == "docker" ? "Stop the Docker Engine itself." : "Stop that daemon where it runs.")
            { Target = builder.Name };
        }
        var settings = await LoadAsync(cancellationToken).ConfigureAwait(false);
        await EachNodeAsync(builder, node => driver.StopAsync(settings.Node(builder, node), cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>Removes a builder, with the daemons that it made and their cache.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="options">What is left.</param>
    /// <param name="cancellationToken">Ends it; the builder is then still in the store.</param>
    /// <returns>Why a daemon of it may still be there, with <see cref="BuilderRemoveOptions.Force"/> or where its file can't be read; null where all of it is gone.</returns>
    /// <exception cref="BuildKitException">A daemon can't be removed, and with it the builder; or it stands for a docker context.</exception>
    public async Task<string?> RemoveAsync(BuildKitBuilder builder, BuilderRemoveOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        DemandStored(builder);
        var settings = await LoadAsync(cancellationToken).ConfigureAwait(false);
        var left = await RemoveDaemonsAsync(settings, builder, options, cancellationToken).ConfigureAwait(false);
        using var store = await settings.Store.LockAsync(cancellationToken).ConfigureAwait(false);
        store.Remove(builder.Name);
        return left;
    }

    /// <summary>Removes a node of a builder, with the daemon that it made and its cache.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="nodeName">The node's name.</param>
    /// <param name="options">What is left.</param>
    /// <param name="cancellationToken">Ends it; the node is then still in the store.</param>
    /// <returns>As for <see cref="RemoveAsync"/>.</returns>
    /// <exception cref="BuildKitException">There is no such node, it is the last one, or its daemon can't be removed.</exception>
    public async Task<string?> RemoveNodeAsync(BuildKitBuilder builder, string nodeName, BuilderRemoveOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        DemandStored(builder);
        var settings = await LoadAsync(cancellationToken).ConfigureAwait(false);
        var leaving = DemandLeavable(builder, nodeName);
        var left = await RemoveDaemonsAsync(settings, builder with { Nodes = new List<BuildKitNode> { leaving } }, options, cancellationToken).ConfigureAwait(false);
        using var store = await settings.Store.LockAsync(cancellationToken).ConfigureAwait(false);
        if (store.Find(builder.Name) is { } stored && stored.Nodes.Any(node => node.Name == leaving.Name))
        {
            DemandLeavable(stored, leaving.Name);
            store.Save(stored with { Nodes = stored.Nodes.Where(node => node.Name != leaving.Name).ToList() });
            store.RemoveNodeRefs(stored.Name, leaving.Name);
        }
        return left;
    }

    /// <summary>Makes a builder of the store the current one of the docker context in use, for docker buildx as for this library.</summary>
    /// <param name="name">Its name; <c>default</c>, or the name of the docker context in use, for none, so that the context builds itself.</param>
    /// <param name="global">Whether for every docker context.</param>
    /// <param name="isDefault">Whether it stays the one for this docker context when another is used for a while.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>A task that completes when it is written.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.BuilderNotFound</c>; <c>BuildKit.BuilderNotStored</c> for another docker context, and for an address.</exception>
    public async Task SetCurrentAsync(string name, bool global = false, bool isDefault = false, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var settings = await LoadAsync(cancellationToken).ConfigureAwait(false);
        if (DockerEndpoints.IsAddress(name))
        {
            throw new BuildKitException(
                "BuildKit.BuilderNotStored", BuildKitErrorCategory.NotSupported, $"'{name}' is an address, and buildx's store keeps the names of builders.",
                $"Create a builder for it (New-BuildKitBuilder -Endpoint {name} -Use), or use it in this session alone.")
            { Target = name };
        }
        var isNone = name == DockerEndpoints.DefaultContext || (settings.Store.Read().Find(name) is null && name == settings.Docker.Current.Name);
        var builder = isNone ? null : await GetAsync(name, cancellationToken).ConfigureAwait(false);
        if (builder is { IsDockerContext: true })
        {
            throw new BuildKitException(
                "BuildKit.BuilderNotStored", BuildKitErrorCategory.NotSupported, $"'{name}' is a docker context, and which of these is used is docker's own setting.",
                $"Run 'docker context use {name}', or use it in this session alone.")
            { Target = name };
        }
        using var store = await settings.Store.LockAsync(cancellationToken).ConfigureAwait(false);
        store.SetCurrent(settings.Docker.CurrentKey, builder?.Name ?? string.Empty, global && builder is not null, isDefault && builder is not null);
    }

    /// <summary>A builder of the store; one that can't be read says so, and hides no other.</summary>
    private static BuildKitBuilder? Find(BuilderStoreReader reader, string name)
    {
        try
        {
            return reader.Find(name);
        }
        catch (BuildKitException e) when (e.ErrorId is BuilderJson.InvalidId or BuilderStore.UnreadableId)
        {
            return new BuildKitBuilder { Name = name, Driver = string.Empty, Error = e.Message };
        }
    }

    private Task<BuilderSettings> LoadAsync(CancellationToken cancellationToken) => BuilderSettings.LoadAsync(_getEnvironmentVariable, _fileExists, cancellationToken);

    /// <summary>The name of what is used where none is named; null where that can't be found out.</summary>
    private async Task<string?> FindCurrentAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await _resolver.FindChoiceAsync(cancellationToken).ConfigureAwait(false)).Name;
        }
        catch (BuildKitException)
        {
            return null; // a build is told what is wrong with the setting; a list of builders is how to find a better one
        }
    }

    /// <returns>Why one of them may still be there, or null.</returns>
    private static async Task<string?> RemoveDaemonsAsync(
        BuilderSettings settings, BuildKitBuilder builder, BuilderRemoveOptions options, CancellationToken cancellationToken)
    {
        if (options.KeepDaemon)
            return null;
        if (builder.Error is not null)
            return $"Where its nodes run is not known. {builder.Error}";
        try
        {
            var driver = BuilderDrivers.Of(builder);
            await EachNodeAsync(builder, node => driver.RemoveAsync(settings.Node(builder, node), options.KeepState, cancellationToken)).ConfigureAwait(false);
            return null;
        }
        catch (BuildKitException e) when (!options.Force)
        {
            throw new BuildKitException(
                e.ErrorId, e.Category, $"The builder '{builder.Name}' is still there, because what it runs can't be removed. {e.Message}",
                "Try again when its Docker Engine answers; -Force removes it from the store all the same, and -KeepDaemon leaves what it runs alone.", e)
            { Target = builder.Name };
        }
        catch (BuildKitException e)
        {
            return e.Message;
        }
    }

    /// <summary>Does something with all nodes at once, and waits for all, whatever happens to one.</summary>
    private static async Task EachNodeAsync(BuildKitBuilder builder, Func<BuildKitNode, Task> action)
    {
        var failures = new List<BuildKitException>();
        await Task.WhenAll(builder.Nodes.Select(async node =>
        {
            try
            {
                await action(node).ConfigureAwait(false);
            }
            catch (BuildKitException e)
            {
                if (builder.Nodes.Count > 1)
                    e.Node ??= node.Name;
                lock (failures)
                    failures.Add(e);
            }
        })).ConfigureAwait(false);
        if (failures.Count == 0)
            return;
        var first = failures[0];
        throw failures.Count == 1 ? first : new BuildKitException(
            first.ErrorId, first.Category, string.Join("\n", failures.Select(failure => failure.Message)), first.RecommendedAction, new AggregateException(failures))
        { Target = builder.Name };
    }

    private static void DemandReadable(BuildKitBuilder builder)
    {
        if (builder.Error is { } error)
        {
            throw new BuildKitException(
                BuilderJson.InvalidId, BuildKitErrorCategory.InvalidArgument, error, "Make the file readable, or remove it and create the builder anew.")
            { Target = builder.Name };
        }
    }

    private static void DemandStored(BuildKitBuilder builder)
    {
        if (builder.IsDockerContext)
        {
            throw new BuildKitException(
                "BuildKit.BuilderNotStored", BuildKitErrorCategory.NotSupported, $"The builder '{builder.Name}' can't be removed: it stands for a docker context.",
                builder.Name == DockerEndpoints.DefaultContext ? "The context 'default' is always there." : $"Run 'docker context rm {builder.Name}' to remove the context.")
            { Target = builder.Name };
        }
    }

    private static BuildKitNode DemandLeavable(BuildKitBuilder builder, string nodeName)
    {
        var node = builder.Nodes.FirstOrDefault(node => node.Name.Equals(nodeName, StringComparison.OrdinalIgnoreCase)) ?? throw new BuildKitException(
            "BuildKit.NodeNotFound", BuildKitErrorCategory.NotFound, $"The builder '{builder.Name}' has no node '{nodeName}'.",
            $"Its nodes are: {string.Join(", ", builder.Nodes.Select(known => known.Name))}.")
        { Target = nodeName };
        return builder.Nodes.Count > 1 ? node : throw new BuildKitException(
            "BuildKit.LastNode", BuildKitErrorCategory.InvalidArgument, $"'{nodeName}' is the last node of the builder '{builder.Name}'.",
            "Remove the builder instead (leave out -NodeName).")
        { Target = nodeName };
    }
}
