namespace BuildKit.Builders.Drivers;

/// <summary>The drivers, one a row.</summary>
internal static class BuilderDrivers
{
    // The one that is taken where none is named comes first.
    private static readonly BuilderDriver[] Rows = [new DockerContainerDriver(), new DockerDriver(), new RemoteDriver()];

    /// <summary>What those are called of which builders can be created, the one that is taken where none is named first.</summary>
    public static IReadOnlyList<string> Creatable { get; } = Rows.Where(driver => driver.AllowsInstances).Select(driver => driver.Name).ToList();

    /// <summary>The names of a driver's options.</summary>
    public static IReadOnlyList<string> OptionNames(string driver) => Find(driver) switch
    {
        DockerContainerDriver => DockerContainerOptions.Names,
        RemoteDriver => RemoteDriver.Options,
        _ => [],
    };

    /// <summary>The driver of a builder that is to be created.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.DriverNotFound</c>, <c>BuildKit.DriverNotCreatable</c>.</exception>
    public static BuilderDriver ForCreation(string name)
    {
        var driver = name.Length > 0 ? Find(name) : null;
        if (driver is null)
        {
            throw new BuildKitException(
                "BuildKit.DriverNotFound", BuildKitErrorCategory.InvalidArgument, $"There is no driver '{name}' here.",
                "Take docker-container, which runs a buildkitd in a container of a Docker Engine, or remote for a buildkitd that runs already.")
            { Target = name };
        }
        return driver.AllowsInstances ? driver : throw new BuildKitException(
            "BuildKit.DriverNotCreatable", BuildKitErrorCategory.NotSupported,
            $"Builders of the driver '{name}' can't be created: the BuildKit inside a Docker Engine is there as soon as the Engine is, once, and is set up by the Engine's own configuration.",
            "Create a docker context for the Engine (docker context create): it is a builder of that name. Or take -Driver docker-container, which has options, flags and several nodes.")
        { Target = name };
    }

    /// <summary>A builder's driver.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.BuilderNotSupported</c>.</exception>
    public static BuilderDriver Of(BuildKitBuilder builder) => Find(builder.Driver) ?? throw new BuildKitException(
        "BuildKit.BuilderNotSupported", BuildKitErrorCategory.NotSupported, $"The builder '{builder.Name}' can't be used: its driver is '{builder.Driver}'.",
        "Builders with the drivers docker, docker-container and remote can be used.")
    { Target = builder.Name };

    /// <summary>The driver of that name; an empty one is docker's. Null where there is none.</summary>
    public static BuilderDriver? Find(string name) => Array.Find(Rows, driver => driver.Name == (name.Length == 0 ? "docker" : name));
}
